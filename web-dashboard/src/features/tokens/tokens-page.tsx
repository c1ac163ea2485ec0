import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function TokensPage() {
  return (
    <Page title="Tokens">
      <Loading />
    </Page>
  );
}
