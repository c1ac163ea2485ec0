import type { Job, JobEvent } from "@offpeak/sdk";
import { useNow } from "../../../components/relative-time";
import { duration } from "../../../lib/time";
import { secondsOf, stages } from "../film";
import classes from "./timings.module.css";

/** How long each stage took, one bar for all. */
export function Timings({ job, events }: { job: Job; events: readonly JobEvent[] }) {
  const now = useNow();
  const parts = stages(job, events, now);
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  const film = secondsOf(job);
  const playable = job.playable_at == null ? undefined : (Date.parse(job.playable_at) - Date.parse(job.created_at)) / 1000;
  return (
    <div className={classes.timings}>
      <div className={classes.bar} aria-hidden>
        {parts.map(({ name, seconds }) => (
          <span key={name} className={classes.part} data-stage={name} style={{ "--share": Math.max(seconds, total / 200) }} />
        ))}
      </div>
      <dl className={classes.list}>
        {parts.map(({ name, seconds, running }) => (
          <div key={name}>
            <dt>
              <span className={classes.key} data-stage={name} aria-hidden />
              {name}
            </dt>
            <dd>
              {duration(seconds)}
              {running ? " so far" : ""}
            </dd>
          </div>
        ))}
      </dl>
      <p className={classes.note}>
        {playable === undefined ? "Not playable yet." : `Playable ${duration(playable)} after it was made.`}
        {film !== undefined && job.state === "completed" && total > 0 && ` ${(film / total).toFixed(1)}× as fast as it plays, waiting included.`}
      </p>
    </div>
  );
}
