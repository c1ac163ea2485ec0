import { useQueryClient } from "@tanstack/react-query";
import type { JobEvent } from "@offpeak/sdk";
import { useEffect, useRef } from "react";
import { type Liveness, useServerEvents } from "../../../lib/live";
import { useChosenTeam } from "../../../lib/team";
import type { JobsSearch } from "../search";
import { ONE_BY_ONE, readChanged } from "./jobs";

/** What changes a row of the list. */
const KINDS = [
  "job.created",
  "job.planned",
  "job.playable",
  "job.encoded",
  "job.completed",
  "job.failed",
  "job.cancelled",
  "job.retried",
  "lease.granted",
  "segments.committed",
] as const;
/** Commits come many a second; people read more slowly. */
const READ_EVERY_MS = 1200;

/** Follows all jobs of the team: those to which something happens are read anew, a few at a time. */
export function useLiveJobs(search: JobsSearch): Liveness {
  const queries = useQueryClient();
  const team = useChosenTeam();
  const changed = useRef(new Set<string>());
  const wanted = useRef(search);
  const due = useRef<number>(undefined);
  useEffect(() => {
    wanted.current = search;
  });
  useEffect(
    () => () => {
      window.clearTimeout(due.current);
      due.current = undefined;
    },
    [],
  );

  const read = async () => {
    const ids = [...changed.current].slice(0, ONE_BY_ONE);
    for (const id of ids) changed.current.delete(id);
    try {
      await readChanged(queries, wanted.current, ids);
    } catch {
      // The server is away: the stream breaks as well, and the list is asked for until it is back.
    }
    due.current = changed.current.size === 0 ? undefined : window.setTimeout(() => void read(), READ_EVERY_MS);
  };
  const liveness = useServerEvents(
    `/v1/jobs/events${team === undefined ? "" : `?team=${team}`}`,
    (data) => {
      changed.current.add((data as JobEvent).job);
      due.current ??= window.setTimeout(() => void read(), READ_EVERY_MS);
    },
    KINDS,
  );
  // What happened before there was a stream, or while it was broken.
  useEffect(() => {
    if (liveness === "live") void queries.invalidateQueries({ queryKey: ["jobs", "fresh"] });
  }, [liveness, queries]);
  return liveness;
}
