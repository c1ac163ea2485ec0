import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function WebhooksPage() {
  return (
    <Page title="Webhooks">
      <Loading />
    </Page>
  );
}
