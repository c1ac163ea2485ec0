import { compact, someOf, text } from "../../lib/search";

export const JOB_STATES = ["queued", "probing", "encoding", "finishing", "completed", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** What the jobs' list shows, in its address. */
export interface JobsSearch {
  /** Names and metadata to look for. */
  q?: string;
  state?: JobState[];
  profile?: string;
}

export function jobsSearch(raw: Record<string, unknown>): JobsSearch {
  const state = someOf(raw.state, JOB_STATES);
  return compact({ q: text(raw.q), state: state.length === 0 ? undefined : state, profile: text(raw.profile) });
}
