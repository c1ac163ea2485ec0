import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function WebhookPage() {
  return (
    <Page title="Webhook">
      <Loading />
    </Page>
  );
}
