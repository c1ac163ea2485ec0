import { compact, text } from "../../lib/search";

/** A new profile may begin as a copy of another one. */
export interface ProfilesSearch {
  from?: string;
}

export function profilesSearch(raw: Record<string, unknown>): ProfilesSearch {
  return compact({ from: text(raw.from) });
}
