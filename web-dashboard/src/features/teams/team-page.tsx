import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function TeamPage() {
  return (
    <Page title="Team">
      <Loading />
    </Page>
  );
}
