import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function PoliciesPage() {
  return (
    <Page title="Policies">
      <Loading />
    </Page>
  );
}
