import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function ProfilePage() {
  return (
    <Page title="Profile">
      <Loading />
    </Page>
  );
}
