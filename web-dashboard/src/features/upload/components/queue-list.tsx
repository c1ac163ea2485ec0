import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconCheck, IconPlayerPause, IconPlayerPlay, IconRefresh, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Bar } from "../../../components/bar";
import { useConfirm } from "../../../components/confirm";
import { problemOf } from "../../../components/states";
import { byteSize } from "../../../lib/format";
import { duration } from "../../../lib/time";
import { drop, goOn, type Item, pause } from "../queue";
import classes from "./queue-list.module.css";

/** Files on their way, and those that have arrived. */
export function QueueList({ items }: { items: readonly Item[] }) {
  return (
    <ul className={classes.list} aria-label="Uploads">
      {items.map((item) => (
        <Row key={item.id} item={item} />
      ))}
    </ul>
  );
}

function Row({ item }: { item: Item }) {
  const { id, name, state, bytes, sent, job } = item;
  const confirm = useConfirm();
  const fraction = state === "done" || state === "creating" ? 1 : bytes === undefined || bytes === 0 ? 0 : sent / bytes;
  const remove = () => {
    if (state === "done" || sent === 0) {
      drop(id);
      return;
    }
    void confirm({
      title: "Give this upload up?",
      body: <p>What has arrived of {name} is removed from the server.</p>,
      action: "Give it up",
      keep: "Go on with it",
      danger: true,
      run: () => {
        drop(id);
        return Promise.resolve();
      },
    });
  };
  return (
    <li className={classes.row} data-state={state}>
      <div className={classes.main}>
        <span className={classes.name}>{name}</span>
        {bytes !== undefined && <span className={classes.size}>{byteSize(bytes)}</span>}
      </div>
      <Bar fraction={fraction} label={`Upload of ${name}`} tone={state === "done" ? "done" : state === "failed" ? "bad" : state === "paused" ? "rest" : "work"} />
      <p className={classes.words} role={state === "failed" ? "alert" : undefined}>
        {words(item)}
      </p>
      <div className={classes.buttons}>
        {job !== undefined && (
          <Button component={Link} to={`/jobs/${job}`} size="compact-sm" variant="light" leftSection={<IconCheck size={15} aria-hidden />}>
            Open the job
          </Button>
        )}
        {(state === "uploading" || state === "waiting") && bytes !== undefined && (
          <Act label={`Pause ${name}`} icon={<IconPlayerPause size={17} />} act={() => { pause(id); }} />
        )}
        {state === "paused" && <Act label={`Go on with ${name}`} icon={<IconPlayerPlay size={17} />} act={() => { goOn(id); }} />}
        {state === "failed" && <Act label={`Try ${name} again`} icon={<IconRefresh size={17} />} act={() => { goOn(id); }} />}
        {state !== "creating" && <Act label={state === "done" ? `Clear ${name} away` : `Give ${name} up`} icon={<IconX size={17} />} act={remove} />}
      </div>
    </li>
  );
}

function Act({ label, icon, act }: { label: string; icon: ReactNode; act: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" c="dimmed" aria-label={label} onClick={act}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

function words({ state, bytes, sent, bytesPerSecond, error, resumed, wishes }: Item): string {
  switch (state) {
    case "waiting":
      return "Waits for its turn";
    case "uploading": {
      const parts = [`${byteSize(sent)} of ${byteSize(bytes ?? 0)}`];
      if (bytesPerSecond > 0) parts.push(`${byteSize(bytesPerSecond)}/s`, `${duration(((bytes ?? 0) - sent) / bytesPerSecond)} left`);
      if (resumed) parts.push("goes on where it had stopped");
      return parts.join(" · ");
    }
    case "paused":
      return `Paused at ${byteSize(sent)}`;
    case "creating":
      return "Makes the job";
    case "done":
      return `Arrived, a job of profile ${wishes.profile}`;
    case "failed": {
      const { title, text } = problemOf(error);
      return `${title} ${text}`;
    }
  }
}
