import type { Job } from "@offpeak/sdk";
import { Link } from "@tanstack/react-router";
import { Bar } from "../../../components/bar";
import type { Column } from "../../../components/data-table";
import { JobStateBadge } from "../../../components/job-state";
import { RelativeTime } from "../../../components/relative-time";
import { rowLink } from "../../../components/row-link";
import { clockTime } from "../../../lib/format";
import { isOpen, nameOfJob } from "../../../lib/jobs";
import { duration } from "../../../lib/time";
import classes from "./columns.module.css";

/** The columns of the jobs' list; a phone shows the first, which then says the state too. */
export const columns: Column<Job>[] = [
  {
    id: "name",
    header: "Job",
    width: "minmax(12rem, 2.4fr)",
    cell: (job) => (
      <div className={classes.two}>
        <Link to="/jobs/$job" params={{ job: job.id }} className={rowLink}>
          {nameOfJob(job)}
        </Link>
        <span className={classes.soft}>{about(job)}</span>
        <span className={classes.phone}>
          <JobStateBadge state={job.state} />
          {isOpen(job) ? <Bar fraction={job.progress.fraction} label={`Progress of ${nameOfJob(job)}`} /> : <RelativeTime at={job.ended_at ?? job.created_at} />}
        </span>
      </div>
    ),
  },
  { id: "state", header: "State", width: "8rem", from: "sm", cell: (job) => <JobStateBadge state={job.state} /> },
  {
    id: "progress",
    header: "Progress",
    width: "minmax(9rem, 1.3fr)",
    from: "sm",
    cell: (job) => <Progress job={job} />,
  },
  { id: "profile", header: "Profile", width: "minmax(7rem, 0.9fr)", from: "md", cell: ({ profile }) => profile },
  { id: "priority", header: "Priority", width: "4rem", from: "lg", align: "end", cell: ({ priority }) => priority },
  { id: "made", header: "Made", width: "8.5rem", from: "md", align: "end", cell: ({ created_at }) => <RelativeTime at={created_at} /> },
];

function Progress({ job }: { job: Job }) {
  if (!isOpen(job)) return <span className={classes.soft}>{ending(job)}</span>;
  const { eta_seconds: eta, eta_p90_seconds: late, progress } = job;
  return (
    <div className={classes.two}>
      <Bar fraction={progress.fraction} label={`Progress of ${nameOfJob(job)}`} />
      <span className={classes.soft}>
        {Math.floor(progress.fraction * 100)} %{eta != null && ` · ${duration(eta)} left`}
        {eta != null && late != null && late > eta && `, at worst ${duration(late)}`}
      </span>
    </div>
  );
}

function ending(job: Job): string {
  if (job.state === "failed") return job.error?.message ?? "";
  if (job.state !== "completed" || job.ended_at == null) return "";
  return `took ${duration((Date.parse(job.ended_at) - Date.parse(job.started_at ?? job.created_at)) / 1000)}`;
}

function about(job: Job): string {
  const { video, audio } = job.facts ?? {};
  const stream = video ?? audio;
  const parts = [
    job.source_name !== undefined && job.source_name !== nameOfJob(job) ? job.source_name : "",
    stream == null ? "" : clockTime(stream.end_seconds - stream.start_seconds),
    video == null ? (audio == null ? "" : "sound") : `${video.height}p`,
  ];
  return parts.filter(Boolean).join(" · ");
}
