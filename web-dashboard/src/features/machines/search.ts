import { compact, text } from "../../lib/search";

/** What the machines' list shows, in its address. */
export interface MachinesSearch {
  name?: string;
  group?: string;
  state?: string;
  standing?: string;
}

export function machinesSearch(raw: Record<string, unknown>): MachinesSearch {
  return compact({ name: text(raw.name), group: text(raw.group), state: text(raw.state), standing: text(raw.standing) });
}
