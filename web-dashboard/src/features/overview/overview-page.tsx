import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function OverviewPage() {
  return (
    <Page title="Overview">
      <Loading />
    </Page>
  );
}
