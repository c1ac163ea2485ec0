import { useQueryClient } from "@tanstack/react-query";
import type { JobEvent } from "@offpeak/sdk";
import { useEffect, useRef, useState } from "react";
import { type Liveness, useServerEvents } from "../../../lib/live";
import { useChosenTeam } from "../../../lib/team";

/** Every kind of event that the server tells of a job. */
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
  "lease.ended",
  "segments.committed",
  "span.stolen",
  "task.doubled",
  "renditions.voided",
] as const;

/** Events come in bursts: one reading tells of them all. */
const READ_AT_MOST_EVERY_MS = 400;

/** Everything that happened to a job, from the beginning, live; what is shown of the job is read anew with every change. */
export function useJobEvents(job: string, open: boolean): { events: JobEvent[]; liveness: Liveness } {
  const [events, setEvents] = useState<JobEvent[]>([]);
  const queries = useQueryClient();
  const due = useRef<number>(undefined);
  const team = useChosenTeam();
  // A header cannot be sent with this kind of request. What is over is told once: the stream ends, and is not opened again.
  const address = `/v1/jobs/${job}/events${team === undefined ? "" : `?team=${team}`}`;
  const [over, setOver] = useState(false);

  const liveness = useServerEvents(
    over ? undefined : address,
    (data) => {
      const event = data as JobEvent;
      setEvents((known) => insert(known, event));
      if (due.current !== undefined) return;
      due.current = window.setTimeout(() => {
        due.current = undefined;
        void queries.invalidateQueries({ queryKey: ["jobs", "one", job] });
        void queries.invalidateQueries({ queryKey: ["jobs", "map", job] });
      }, READ_AT_MOST_EVERY_MS);
    },
    KINDS,
  );
  useEffect(
    () => () => {
      window.clearTimeout(due.current);
      due.current = undefined;
    },
    [],
  );
  // The stream of a job that is over ends, and the browser would open it again and again. A retried job has a stream again.
  const isOver = !open && liveness === "polling";
  if (isOver !== over) setOver(isOver || (over && !open));
  return { events, liveness };
}

/** Keeps events in order and each once: after a break some may come twice. */
export function insert(events: JobEvent[], event: JobEvent): JobEvent[] {
  const last = events.at(-1);
  if (last === undefined || last.sequence < event.sequence) return [...events, event];
  if (events.some(({ sequence }) => sequence === event.sequence)) return events;
  return [...events, event].sort((a, b) => a.sequence - b.sequence);
}
