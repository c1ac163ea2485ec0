import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function ProfilesPage() {
  return (
    <Page title="Profiles">
      <Loading />
    </Page>
  );
}
