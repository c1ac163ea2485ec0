import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function EnrolPage() {
  return (
    <Page title="Add machines">
      <Loading />
    </Page>
  );
}
