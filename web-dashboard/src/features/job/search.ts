import { compact, oneOf } from "../../lib/search";

export const JOB_TABS = ["map", "timeline", "source", "use"] as const;
export type JobTab = (typeof JOB_TABS)[number];

export interface JobSearch {
  tab?: JobTab;
}

export function jobSearch(raw: Record<string, unknown>): JobSearch {
  return compact({ tab: oneOf(raw.tab, JOB_TABS) });
}
