import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function TeamsPage() {
  return (
    <Page title="Teams">
      <Loading />
    </Page>
  );
}
