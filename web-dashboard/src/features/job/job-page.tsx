import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function JobPage() {
  return (
    <Page title="Job">
      <Loading />
    </Page>
  );
}
