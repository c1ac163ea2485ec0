import type { Job } from "@offpeak/sdk";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { RelativeTime } from "../../../components/relative-time";
import type { Schemas } from "../../../lib/api";
import { nameOfJob } from "../../../lib/jobs";
import { useIsOperator } from "../../../lib/session";
import classes from "./attention.module.css";

interface Props {
  fleet: Schemas["FleetFigures"] | undefined;
  failed: readonly Job[];
  webhooks: readonly Schemas["Webhook"][];
}

/** What somebody should look at, and where. */
export function Attention({ fleet, failed, webhooks }: Props) {
  const isOperator = useIsOperator();
  const machines = fleet?.machines ?? {};
  const lines: { key: string; text: ReactNode; detail: ReactNode }[] = [];
  if (fleet !== undefined && fleet.queue.tasks > 0 && fleet.available === 0) {
    lines.push({
      key: "no-machine",
      text: isOperator ? <Link to="/machines">Work waits, and no machine is available</Link> : "Work waits, and no machine is available",
      detail: fleet.online === 0 ? "All machines are off." : "They are in use, resting, or set aside.",
    });
  }
  for (const [state, what, detail] of [
    ["broken", "broken", "Each tells the reason and what to do."],
    ["set_aside", "set aside", "They failed too often, or somebody set them aside."],
  ] as const) {
    const some = machines[state] ?? 0;
    if (some === 0) continue;
    const words = `${some} machine${some === 1 ? " is" : "s are"} ${what}`;
    lines.push({ key: state, text: isOperator ? <Link to="/machines" search={{ state }}>{words}</Link> : words, detail });
  }
  for (const job of failed) {
    lines.push({
      key: job.id,
      text: (
        <Link to="/jobs/$job" params={{ job: job.id }}>
          {nameOfJob(job)} failed
        </Link>
      ),
      detail: (
        <>
          {job.error?.message} {job.ended_at != null && <RelativeTime at={job.ended_at} />}
        </>
      ),
    });
  }
  for (const { id, url, disabled_reason } of webhooks) {
    lines.push({
      key: id,
      text: (
        <Link to="/webhooks/$webhook" params={{ webhook: id }}>
          {disabled_reason == null ? "A webhook does not get through" : "A webhook was switched off"}
        </Link>
      ),
      detail: disabled_reason ?? url,
    });
  }
  if (lines.length === 0) {
    return (
      <p className={classes.fine}>
        <IconCircleCheck size={20} stroke={1.7} aria-hidden />
        Nothing needs you.
      </p>
    );
  }
  return (
    <ul className={classes.list}>
      {lines.map(({ key, text, detail }) => (
        <li key={key}>
          <IconAlertTriangle size={18} stroke={1.7} aria-hidden />
          <span className={classes.text}>{text}</span>
          <span className={classes.detail}>{detail}</span>
        </li>
      ))}
    </ul>
  );
}
