import { compact, oneOf, text } from "../../lib/search";
import { KINDS, STATES } from "./words";

/** By what the list can be sorted. */
export const SORTS = ["name", "state", "speed", "seen"] as const;

/** What the machines' list shows, in its address. */
export interface MachinesSearch {
  name?: string;
  group?: string;
  /** A kind of state (`ready`), or exactly one (`on_battery`). */
  state?: string;
  /** `revoked` shows those instead of all others. */
  standing?: string;
  sort?: (typeof SORTS)[number];
}

export function machinesSearch(raw: Record<string, unknown>): MachinesSearch {
  return compact({
    name: text(raw.name),
    group: text(raw.group),
    state: oneOf(raw.state, [...KINDS, ...STATES]),
    standing: oneOf(raw.standing, ["revoked"]),
    sort: oneOf(raw.sort, SORTS),
  });
}
