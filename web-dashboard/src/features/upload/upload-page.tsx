import { Page } from "../../components/page";
import { Loading } from "../../components/states";

export function UploadPage() {
  return (
    <Page title="Upload">
      <Loading />
    </Page>
  );
}
