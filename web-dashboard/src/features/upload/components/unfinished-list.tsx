import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { Bar } from "../../../components/bar";
import { useConfirm, useNotices } from "../../../components/confirm";
import { Panel } from "../../../components/page";
import { RelativeTime } from "../../../components/relative-time";
import { byteSize } from "../../../lib/format";
import { ACCEPT, openAgain, type Picked } from "../picked";
import { addUnfinished, useQueue, type Wishes } from "../queue";
import { discard, misfit, type Unfinished, unfinishedQuery } from "../unfinished";
import classes from "./unfinished-list.module.css";

/** Uploads of this browser that stopped when the page was closed. */
export function UnfinishedList({ wishes }: { wishes: Wishes }) {
  const queries = useQueryClient();
  const confirm = useConfirm();
  const notices = useNotices();
  const input = useRef<HTMLInputElement>(null);
  const asked = useRef<Unfinished>(undefined);
  const queued = useQueue().flatMap(({ url }) => url ?? []);
  const { data = [] } = useQuery(unfinishedQuery(queued));
  // What was just taken into the queue is listed there.
  const left = data.filter(({ url }) => !queued.includes(url));

  const goOnWith = (upload: Unfinished, picked: Picked) => {
    const wrong = misfit(upload, picked.file);
    if (wrong === undefined) addUnfinished(upload, picked, wishes);
    else notices.failed(`${upload.name} cannot go on with this file`, new Error(wrong));
  };
  const goOn = async (upload: Unfinished) => {
    const handle = upload.kept?.handle;
    const file = handle === undefined ? undefined : await openAgain(handle);
    if (file !== undefined) {
      goOnWith(upload, { file, handle });
      return;
    }
    asked.current = upload;
    input.current?.click();
  };
  const giveUp = ({ url, name, kept }: Unfinished) =>
    confirm({
      title: "Discard this upload?",
      body: <p>What has arrived of {name} is removed from the server.</p>,
      action: "Discard it",
      keep: "Keep it",
      danger: true,
      run: async () => {
        await discard(url, kept?.wishes.team);
        await queries.invalidateQueries({ queryKey: ["unfinished-uploads"] });
      },
    });

  if (left.length === 0) return null;
  return (
    <Panel flush title="Not finished" about="Begun in this browser. What has arrived stays for a while; the rest is sent when you go on.">
      <ul className={classes.list} aria-label="Uploads that are not finished">
        {left.map((upload) => (
          <li key={upload.url} className={classes.row}>
            <div className={classes.what}>
              <span className={classes.name}>{upload.name}</span>
              {upload.sent !== undefined && (
                <Bar fraction={upload.bytes === 0 ? 0 : upload.sent / upload.bytes} label={`What has arrived of ${upload.name}`} tone="rest" />
              )}
              <span className={classes.soft}>
                {upload.sent === undefined ? byteSize(upload.bytes) : `${byteSize(upload.sent)} of ${byteSize(upload.bytes)} arrived`} · begun{" "}
                <RelativeTime at={upload.begunAt} />
                {upload.elsewhere ? " · another tab sends it" : upload.kept?.handle === undefined && " · asks for the file again"}
              </span>
            </div>
            {!upload.elsewhere && (
              <div className={classes.buttons}>
                <Button
                  size="compact-sm"
                  variant="light"
                  leftSection={<IconPlayerPlay size={15} aria-hidden />}
                  aria-label={`Go on with ${upload.name}`}
                  onClick={() => void goOn(upload)}
                >
                  Go on
                </Button>
                <Button size="compact-sm" variant="subtle" color="gray" aria-label={`Discard ${upload.name}`} onClick={() => void giveUp(upload)}>
                  Discard
                </Button>
              </div>
            )}
          </li>
        ))}
      </ul>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="The file to go on with"
        accept={ACCEPT}
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          if (file !== undefined && asked.current !== undefined) goOnWith(asked.current, { file });
          currentTarget.value = "";
        }}
      />
    </Panel>
  );
}
