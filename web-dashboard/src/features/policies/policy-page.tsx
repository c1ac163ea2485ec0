import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function PolicyPage() {
  return (
    <Page title="Policy">
      <Loading />
    </Page>
  );
}
