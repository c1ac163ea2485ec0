import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function NewProfilePage() {
  return (
    <Page title="New profile">
      <Loading />
    </Page>
  );
}
