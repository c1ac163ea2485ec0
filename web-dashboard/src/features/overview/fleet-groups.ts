import type { Tone } from "../../components/status";

/** States of machines, in the groups that people think in. */
export interface Group {
  name: string;
  tone: Tone | "calm";
  states: Record<string, string>;
}

export const GROUPS: Group[] = [
  { name: "Encoding", tone: "work", states: { encoding: "encoding" } },
  { name: "Ready", tone: "done", states: { waiting: "waiting for work", leasing: "taking work" } },
  {
    name: "In use by their people",
    tone: "warm",
    states: {
      user_active: "with somebody at the keyboard",
      presenting: "in full screen or a call",
      suspended: "paused in the middle of work",
      busy_cpu: "busy with other programs",
      busy_memory: "short of memory",
    },
  },
  {
    name: "Resting",
    tone: "calm",
    states: {
      off_schedule: "outside their hours",
      on_battery: "on battery",
      metered: "on a metered network",
      paused: "paused by their person",
      snoozed: "snoozed by their person",
      draining: "being drained",
      updating: "updating",
    },
  },
  { name: "Need somebody", tone: "bad", states: { broken: "broken", set_aside: "set aside", no_server: "without a connection" } },
  { name: "Off", tone: "rest", states: { offline: "off or asleep" } },
];

export interface Counted {
  group: Group;
  machines: number;
  /** `2 busy with other programs`, most first. */
  reasons: { machines: number; word: string }[];
}

/** How many machines are in each group, and why. Groups without machines are left out. */
export function counted(machines: Readonly<Record<string, number>>): Counted[] {
  return GROUPS.map((group) => {
    const reasons = Object.entries(group.states)
      .map(([state, word]) => ({ machines: machines[state] ?? 0, word }))
      .filter(({ machines }) => machines > 0)
      .sort((a, b) => b.machines - a.machines);
    return { group, machines: reasons.reduce((sum, { machines }) => sum + machines, 0), reasons };
  }).filter(({ machines }) => machines > 0);
}
