import type { Schemas } from "../../../lib/api";
import { RelativeTime } from "../../../components/relative-time";
import { adviceFor } from "../advice";
import classes from "./what-failed.module.css";

/** Why the job failed, on which machines, and what to do. */
export function WhatFailed({ error }: { error: Schemas["JobError"] }) {
  const failures = error.failures ?? [];
  const log = error.log_tail ?? [];
  return (
    <section className={classes.failed} aria-label="Why it failed">
      <p className={classes.message}>{error.message}</p>
      <p className={classes.advice}>{adviceFor(error)}</p>
      {failures.length > 0 && (
        <ul className={classes.failures}>
          {failures.map(({ agent_name, at, code, message, first, last, task_kind }) => (
            <li key={`${agent_name}-${at}`}>
              <strong>{agent_name}</strong> · {task_kind}
              {task_kind === "encode" && ` of segments ${first}–${Math.max(first, last - 1)}`} · <RelativeTime at={at} />
              <span className={classes.why}>
                {message} <code>{code}</code>
              </span>
            </li>
          ))}
        </ul>
      )}
      {log.length > 0 && (
        <details>
          <summary>Last lines of the log</summary>
          <pre className={classes.log} tabIndex={0}>
            {log.join("\n")}
          </pre>
        </details>
      )}
      <code className={classes.code}>{error.code}</code>
    </section>
  );
}
