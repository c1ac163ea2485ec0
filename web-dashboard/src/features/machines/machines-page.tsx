import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function MachinesPage() {
  return (
    <Page title="Machines">
      <Loading />
    </Page>
  );
}
