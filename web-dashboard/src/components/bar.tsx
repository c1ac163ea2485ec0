import classes from "./bar.module.css";
import type { Tone } from "./status";

/** How far something is. `label` says what, for screen readers. */
export function Bar({ fraction, label, tone = "work", thick = false }: { fraction: number; label: string; tone?: Tone; thick?: boolean }) {
  const percent = Math.round(Math.min(1, Math.max(0, fraction)) * 1000) / 10;
  return (
    <div
      className={classes.bar}
      data-tone={tone}
      data-thick={thick || undefined}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div className={classes.done} style={{ width: `${percent}%` }} />
    </div>
  );
}
