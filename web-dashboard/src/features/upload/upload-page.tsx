import { Button } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Page, Panel } from "../../components/page";
import { useNotices } from "../../components/confirm";
import { useTeamScope } from "../../lib/session";
import { ByAddress } from "./components/by-address";
import { DropZone } from "./components/drop-zone";
import { QueueList } from "./components/queue-list";
import { UnfinishedList } from "./components/unfinished-list";
import { WishesForm } from "./components/wishes-form";
import type { Picked } from "./picked";
import { addAddresses, addFiles, clearDone, useQueue, type Wishes } from "./queue";
import classes from "./upload-page.module.css";

const USUAL: Pick<Wishes, "profile" | "priority"> = { profile: "hls-h264", priority: 5 };

/** Bring films in: from this computer, or by their addresses. */
export function UploadPage() {
  const items = useQueue();
  const queries = useQueryClient();
  const notices = useNotices();
  const { teams } = useTeamScope();
  const [kept, setWishes] = useLocalStorage<Wishes>({ key: "offpeak.upload", defaultValue: USUAL, getInitialValueInEffect: false });
  // Somebody else may have used this browser, in a team that is none of ours.
  const wishes = { ...kept, team: teams.find(({ id }) => id === kept.team)?.id };
  const take = (files: Picked[]) => {
    const [full, empty] = [files.filter(({ file }) => file.size > 0), files.filter(({ file }) => file.size === 0)];
    if (full.length > 0) addFiles(full, wishes);
    if (empty.length > 0) notices.failed(`${empty[0]?.file.name ?? ""} is left out`, new Error("The file is empty, or it is a folder."));
    void queries.invalidateQueries({ queryKey: ["jobs"] });
  };
  const done = items.filter(({ state }) => state === "done").length;
  return (
    <Page title="Upload" about="Each film becomes a job.">
      <div className={classes.columns}>
        <div className={classes.wide}>
          <DropZone take={take} small={items.length > 0} />
          {items.length > 0 && (
            <Panel
              flush
              title={done === items.length ? "All have arrived" : `${done} of ${items.length} have arrived`}
              aside={
                done > 0 && (
                  <Button variant="subtle" size="compact-sm" onClick={clearDone}>
                    Clear those that are done
                  </Button>
                )
              }
            >
              <QueueList items={items} />
            </Panel>
          )}
          <UnfinishedList wishes={wishes} />
          <Panel title="From an address">
            <ByAddress
              take={(urls) => {
                addAddresses(urls, wishes);
              }}
            />
          </Panel>
        </div>
        <Panel title="What becomes of them">
          <WishesForm wishes={wishes} change={setWishes} />
        </Panel>
      </div>
    </Page>
  );
}
