import type { Job } from "@offpeak/sdk";
import { Link } from "@tanstack/react-router";
import { Bar } from "../../../components/bar";
import { JobStateBadge } from "../../../components/job-state";
import { nameOfJob } from "../../../lib/jobs";
import { duration } from "../../../lib/time";
import classes from "./running.module.css";

/** The jobs that are under way. */
export function Running({ jobs }: { jobs: readonly Job[] }) {
  if (jobs.length === 0) {
    return (
      <p className={classes.none}>
        No job is under way. <Link to="/upload">Upload a film</Link>
      </p>
    );
  }
  return (
    <ul className={classes.list}>
      {jobs.map((job) => (
        <li key={job.id}>
          <Link to="/jobs/$job" params={{ job: job.id }} className={classes.name}>
            {nameOfJob(job)}
          </Link>
          <span className={classes.state}>
            <JobStateBadge state={job.state} />
          </span>
          <Bar fraction={job.progress.fraction} label={`Progress of ${nameOfJob(job)}`} />
          <span className={classes.left}>
            {Math.floor(job.progress.fraction * 100)} %{job.eta_seconds != null && ` · ${duration(job.eta_seconds)} left`}
          </span>
        </li>
      ))}
    </ul>
  );
}
