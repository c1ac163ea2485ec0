import { Tooltip } from "@mantine/core";
import type { Job } from "@offpeak/sdk";
import { IconMovie } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { CopyIcon } from "../../components/copy";
import { JobStateBadge } from "../../components/job-state";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { Empty, Loaded, Loading } from "../../components/states";
import { Status, Tag } from "../../components/status";
import { isOpen, nameOfJob } from "../../lib/jobs";
import type { Liveness } from "../../lib/live";
import { useJobEvents } from "./api/events";
import { type JobMap, jobQuery, mapQuery } from "./api/job";
import { AboutSource } from "./components/about-source";
import { JobActions } from "./components/job-actions";
import { Ladder } from "./components/ladder";
import { ProgressStrip } from "./components/progress-strip";
import { SpanMap } from "./components/span-map";
import { Timeline } from "./components/timeline";
import { Timings } from "./components/timings";
import { UseIt } from "./components/use-it";
import { WhatFailed } from "./components/what-failed";
import classes from "./job-page.module.css";

const Player = lazy(() => import("./components/player").then(({ Player }) => ({ default: Player })));
const route = getRouteApi("/jobs/$job");

/** Everything about one job. */
export function JobPage() {
  const { job: id } = route.useParams();
  const query = useQuery(jobQuery(id));
  if (query.data !== undefined) return <OneJob key={id} job={query.data} />;
  return (
    <Page title="Job" back={{ to: "/jobs", label: "Jobs" }}>
      <Loaded query={query} loading={<Loading label="Reading the job" />}>
        {() => null}
      </Loaded>
    </Page>
  );
}

function OneJob({ job }: { job: Job }) {
  const open = isOpen(job);
  const { events, liveness } = useJobEvents(job.id, open);
  const map = useQuery(mapQuery(job.id, open));
  const names = new Map((map.data?.agents ?? []).map(({ id, name }) => [id, name]));
  for (const { agent, name } of job.progress.agents) names.set(agent, name);
  const hls = job.outputs?.hls;

  return (
    <Page
      title={nameOfJob(job)}
      back={{ to: "/jobs", label: "Jobs" }}
      badge={<JobStateBadge state={job.state} />}
      about={
        <span className={classes.about}>
          <Tag>{job.profile}</Tag>
          <span>
            made <RelativeTime at={job.created_at} />
          </span>
          <span>priority {job.priority}</span>
          <span className={classes.id}>
            <code>{job.id}</code>
            <CopyIcon text={job.id} label="Copy the job's id" />
          </span>
          {open && <Live liveness={liveness} />}
        </span>
      }
      actions={<JobActions job={job} />}
    >
      {job.error != null && <WhatFailed error={job.error} />}
      {(job.warnings ?? []).length > 0 && (
        <ul className={classes.warnings} aria-label="Worth knowing">
          {(job.warnings ?? []).map(({ code, message }) => (
            <li key={code}>{message}</li>
          ))}
        </ul>
      )}
      {open && (
        <Panel>
          <ProgressStrip job={job} />
        </Panel>
      )}
      <div className={classes.columns}>
        <div className={classes.wide}>
          <Panel flush>
            {hls == null ? (
              <Screen job={job} />
            ) : (
              <Suspense fallback={<div className={classes.screen} />}>
                <Player address={here(hls)} label={nameOfJob(job)} />
              </Suspense>
            )}
          </Panel>
          <Panel title="Span map" about="Who makes what: a row for each rendition, a cell for each segment.">
            <Loaded query={map} loading={<Loading label="Reading the map" />}>
              {(data: JobMap) =>
                data.tracks.length === 0 ? <p className={classes.note}>The map is drawn when the source has been read.</p> : <SpanMap job={job} map={data} />
              }
            </Loaded>
          </Panel>
          {job.progress.renditions.length > 0 && (
            <Panel title="Ladder" flush>
              <Ladder job={job} />
            </Panel>
          )}
          <Panel title="What happened">
            <Timeline events={events} names={names} />
          </Panel>
        </div>
        <div className={classes.narrow}>
          <Panel title="Use it">
            <UseIt job={job} />
          </Panel>
          <Panel title="Timings">
            <Timings job={job} events={events} />
          </Panel>
          <Panel title="Source">
            <AboutSource job={job} />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

/** An address of this server, by the name that this page was opened under: the pages' policy lets them load from there only. */
function here(address: string): string {
  const { pathname, search } = new URL(address);
  return location.origin + pathname + search;
}

/** In the player's place, while there is nothing to play. */
function Screen({ job }: { job: Job }) {
  const words: Record<Job["state"], [string, string]> = {
    queued: ["It waits for a machine", "As soon as one is idle, work begins. The film can be played long before it is complete."],
    probing: ["A machine reads the source", "Then the work is planned and cut into spans."],
    encoding: ["The first segments are being made", "The film can be played as soon as two segments of every rendition are there."],
    finishing: ["Files are being made", "There is no stream to play of this one."],
    completed: ["There is nothing to play", "This profile makes files only."],
    failed: ["There is nothing to play", "The job failed before it was complete."],
    cancelled: ["There is nothing to play", "The job was cancelled, and what it had made was removed."],
  };
  const [title, text] = words[job.state];
  return (
    <div className={classes.screen}>
      <Empty icon={<IconMovie size={28} stroke={1.6} />} title={title}>
        {text}
      </Empty>
    </div>
  );
}

function Live({ liveness }: { liveness: Liveness }) {
  const [tone, word, about] = {
    connecting: ["rest", "Connecting", "Asking the server for events."],
    live: ["done", "Live", "The server tells this page about every change."],
    polling: ["warm", "Every few seconds", "Events do not get through, so this page asks every few seconds."],
  }[liveness] as ["rest" | "done" | "warm", string, string];
  return (
    <Tooltip label={about}>
      <span>
        <Status tone={tone}>{word}</Status>
      </span>
    </Tooltip>
  );
}
