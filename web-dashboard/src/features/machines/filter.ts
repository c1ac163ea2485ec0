import type { Agent } from "./api/agents";
import type { MachinesSearch } from "./search";
import { type Kind, KINDS, shown } from "./words";

/** The machines that the list shows, in its order. */
export function chosen(agents: readonly Agent[], { name, group, state, sort }: MachinesSearch): Agent[] {
  const part = name?.trim().toLowerCase() ?? "";
  const found = agents.filter(
    (agent) =>
      (part === "" || agent.name.toLowerCase().includes(part)) &&
      (group === undefined || agent.group === group) &&
      (state === undefined || agent.state === state || shown(agent).kind === state),
  );
  return found.sort((a, b) => before(a, b, sort) || byName.compare(a.name, b.name));
}

/** `desk-2` comes before `desk-10`. */
const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function before(a: Agent, b: Agent, sort: MachinesSearch["sort"]): number {
  switch (sort) {
    case "state":
      return KINDS.indexOf(shown(a).kind) - KINDS.indexOf(shown(b).kind) || shown(a).label.localeCompare(shown(b).label);
    case "speed":
      return b.real_time_speed - a.real_time_speed;
    case "seen":
      return (b.last_seen_at ?? "").localeCompare(a.last_seen_at ?? "");
    case "name":
    case undefined:
      return 0;
  }
}

export function countKinds(agents: readonly Agent[]): Record<Kind, number> {
  const counts: Record<Kind, number> = { working: 0, ready: 0, away: 0, attention: 0, off: 0 };
  for (const agent of agents) counts[shown(agent).kind] += 1;
  return counts;
}
