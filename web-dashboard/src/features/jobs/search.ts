import { JOB_STATES, type JobState } from "../../lib/jobs";
import { compact, someOf, text } from "../../lib/search";

/** What the jobs' list shows, in its address. */
export interface JobsSearch {
  /** Names and metadata to look for. */
  q?: string;
  state?: JobState[];
  profile?: string;
}

export function jobsSearch(raw: Record<string, unknown>): JobsSearch {
  const state = someOf(raw.state, JOB_STATES);
  return compact({ q: text(raw.q)?.slice(0, 200), state: state.length === 0 ? undefined : state, profile: text(raw.profile) });
}
