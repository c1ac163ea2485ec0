import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function MachinePage() {
  return (
    <Page title="Machine">
      <Loading />
    </Page>
  );
}
