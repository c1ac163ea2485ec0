import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function JobsPage() {
  return (
    <Page title="Jobs">
      <Loading />
    </Page>
  );
}
