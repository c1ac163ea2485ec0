import type { Job } from "@offpeak/sdk";
import { Bar } from "../../../components/bar";
import { duration } from "../../../lib/time";
import classes from "./progress-strip.module.css";

/** How far a job is, and when it will be done. */
export function ProgressStrip({ job }: { job: Job }) {
  const { progress, eta_seconds: eta, eta_p90_seconds: late } = job;
  const machines = new Set(progress.agents.map(({ agent }) => agent)).size;
  const percent = Math.floor(progress.fraction * 100);
  return (
    <div className={classes.strip}>
      <Bar thick fraction={progress.fraction} label="Progress" />
      <dl className={classes.facts}>
        <div>
          <dt>Done</dt>
          <dd>{percent} %</dd>
        </div>
        <div>
          <dt>Time left</dt>
          <dd>
            {eta == null ? "Not known yet" : `about ${duration(eta)}`}
            {eta != null && late != null && late > eta && <small> at worst {duration(late)}</small>}
          </dd>
        </div>
        <div>
          <dt>Machines</dt>
          <dd>{machines === 0 ? "Waits for one" : machines}</dd>
        </div>
        <div>
          <dt>Speed</dt>
          <dd>{(progress.throughput ?? 0) > 0 ? `${(progress.throughput ?? 0).toFixed(1)}× real time` : "–"}</dd>
        </div>
      </dl>
    </div>
  );
}
