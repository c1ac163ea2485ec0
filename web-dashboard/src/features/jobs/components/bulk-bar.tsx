import { Button, CloseButton } from "@mantine/core";
import type { Job } from "@offpeak/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { useConfirm, useNotices } from "../../../components/confirm";
import { isOpen } from "../../../lib/jobs";
import { type Act, actOnJobs } from "../api/jobs";
import classes from "./bulk-bar.module.css";

interface Props {
  selected: readonly Job[];
  clear: () => void;
}

const WORDS: Record<Act, { verb: string; done: string; body: string }> = {
  cancel: {
    verb: "Cancel",
    done: "cancelled",
    body: "Their machines stop within seconds, and what they have made so far is removed. The sources stay.",
  },
  retry: { verb: "Try again", done: "tried again", body: "Only what is missing is done again." },
  delete: { verb: "Delete", done: "deleted", body: "Their streams and files are deleted, and whoever has an address of them sees nothing more. This cannot be undone." },
};

/** What can be done with the jobs that are selected: to each, as far as its state allows. */
export function BulkBar({ selected, clear }: Props) {
  const confirm = useConfirm();
  const notices = useNotices();
  const queries = useQueryClient();
  const fits: Record<Act, Job[]> = {
    cancel: selected.filter(isOpen),
    retry: selected.filter(({ state }) => state === "failed"),
    delete: selected.filter((job) => !isOpen(job)),
  };
  const ask = async (act: Act) => {
    const { verb, done, body } = WORDS[act];
    const ids = fits[act].map(({ id }) => id);
    const what = `${ids.length} job${ids.length === 1 ? "" : "s"}`;
    const run = async () => {
      const result = await actOnJobs(act, ids);
      await queries.invalidateQueries({ queryKey: ["jobs"] });
      if (result.done > 0) notices.done(`${result.done} job${result.done === 1 ? "" : "s"} ${done}`);
      if (result.failed > 0) notices.failed(`${result.failed} could not be ${done}`, result.error);
    };
    const wasDone = await confirm({ title: `${verb}: ${what}`, body: <p>{body}</p>, action: `${verb} ${what}`, danger: act !== "retry", run });
    if (wasDone) clear();
  };
  return (
    <div className={classes.bar} role="region" aria-label="Selected jobs">
      <CloseButton aria-label="Select nothing" onClick={clear} />
      <span className={classes.count} aria-live="polite">
        {selected.length} selected
      </span>
      {(["cancel", "retry", "delete"] as const).map((act) => (
        <Button key={act} size="compact-md" variant="default" disabled={fits[act].length === 0} onClick={() => void ask(act)}>
          {WORDS[act].verb}
          {fits[act].length > 0 && fits[act].length < selected.length && ` ${fits[act].length}`}
        </Button>
      ))}
    </div>
  );
}
