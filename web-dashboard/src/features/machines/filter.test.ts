import { expect, test } from "vitest";
import type { Agent } from "./api/agents";
import { chosen, countKinds } from "./filter";

const agent = (name: string, change: Partial<Agent> = {}): Agent => ({
  id: `agent_${name}`,
  name,
  group: "group_A",
  state: "waiting",
  state_since: "2026-11-25T12:00:00Z",
  standing: "active",
  working: false,
  frames_per_second: 0,
  real_time_speed: 0,
  ...change,
});

const farm = [
  agent("desk-10", { state: "encoding", real_time_speed: 2, group: "group_B" }),
  agent("desk-2", { state: "on_battery", last_seen_at: "2026-11-25T12:00:00Z" }),
  agent("Edit-1", { standing: "draining", last_seen_at: "2026-11-25T11:00:00Z" }),
];
const names = (search: Parameters<typeof chosen>[1]) => chosen(farm, search).map(({ name }) => name);

test("names are ordered as people count", () => {
  expect(names({})).toEqual(["desk-2", "desk-10", "Edit-1"]);
  expect(names({ sort: "speed" })).toEqual(["desk-10", "desk-2", "Edit-1"]);
  expect(names({ sort: "seen" })).toEqual(["desk-2", "Edit-1", "desk-10"]);
  expect(names({ sort: "state" })).toEqual(["desk-10", "desk-2", "Edit-1"]);
});

test("filters narrow together; a state is a kind or exactly one", () => {
  expect(names({ name: " EDIT" })).toEqual(["Edit-1"]);
  expect(names({ state: "working" })).toEqual(["desk-10"]);
  expect(names({ state: "on_battery" })).toEqual(["desk-2"]);
  expect(names({ state: "on_battery", group: "group_B" })).toEqual([]);
});

test("each machine is counted once", () => {
  expect(countKinds(farm)).toEqual({ working: 1, ready: 0, away: 1, attention: 1, off: 0 });
});
