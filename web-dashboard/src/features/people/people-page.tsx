import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function PeoplePage() {
  return (
    <Page title="People">
      <Loading />
    </Page>
  );
}
