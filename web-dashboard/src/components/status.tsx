import type { ReactNode } from "react";
import classes from "./status.module.css";

/** What a state means for the eye: at work, done, wrong, in need of somebody, or at rest. */
export type Tone = "work" | "done" | "bad" | "warm" | "rest";

/** A state in words, with a dot that says its kind. `pulse` for what moves right now. */
export function Status({ tone, children, pulse = false }: { tone: Tone; children: ReactNode; pulse?: boolean }) {
  return (
    <span className={classes.status} data-tone={tone}>
      <span className={classes.dot} data-pulse={pulse || undefined} aria-hidden />
      {children}
    </span>
  );
}

/** A small label: a count, a kind, a name. */
export function Tag({ tone = "rest", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={classes.tag} data-tone={tone}>
      {children}
    </span>
  );
}
