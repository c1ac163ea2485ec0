import { expect, test } from "vitest";
import type { Agent } from "./api/agents";
import { eventWords, explain, sandboxWords, shown } from "./words";

const agent = (change: Partial<Agent>): Agent => ({
  id: "agent_01J8ZC5V2M0N6QW3T7RX9KPEHD",
  name: "edit-01",
  group: "group_01J8ZC5V2M0N6QW3T7RX9KPEHD",
  state: "waiting",
  state_since: "2026-11-25T12:00:00Z",
  standing: "active",
  working: false,
  frames_per_second: 0,
  real_time_speed: 0,
  ...change,
});

test("what people decided counts more than what a machine does", () => {
  expect(shown(agent({ state: "encoding" }))).toMatchObject({ label: "Encoding", kind: "working", moves: true });
  expect(shown(agent({ state: "encoding", standing: "draining" }))).toMatchObject({ label: "Draining", kind: "attention" });
  expect(shown(agent({ state: "encoding", standing: "revoked" }))).toMatchObject({ label: "Revoked", kind: "off", moves: false });
  expect(shown(agent({ state: "user_active" }))).toMatchObject({ label: "In use", kind: "away" });
});

test.each([
  [agent({}), "It is idle and would begin at once."],
  [agent({ state: "user_active", state_reason: "the mouse moved" }), "The mouse moved."],
  [agent({ state: "broken", state_reason: "The disk is full!" }), "The disk is full!"],
  [
    agent({ standing: "draining", standing_reason: "new fan" }),
    "Somebody is draining it: it ends what it holds and gets nothing more until it is resumed. “new fan”",
  ],
  [agent({ standing: "set_aside", set_aside_by: "person" }), "Somebody set it aside: it gets nothing until it is resumed."],
])("the reason of %o", (machine, text) => {
  expect(explain(machine)).toBe(text);
});

test("a machine in quarantine says when it may prove itself", () => {
  const machine = agent({ standing: "set_aside", set_aside_by: "failures" });
  expect(explain({ ...machine, prove_after_seconds: 150 })).toContain("in 2 min 30 s");
  expect(explain({ ...machine, prove_after_seconds: 0 })).toContain("prove itself now");
});

test.each([
  ["agent.moved", { from: "group_A", to: "group_B" }, "Moved from <group_A> to <group_B>"],
  ["agent.drained", { reason: "new fan" }, "Drained: new fan"],
  ["agent.drained", { reason: null }, "Drained"],
  ["agent.something_new", null, "agent.something_new"],
])("%s %j", (kind, data, text) => {
  expect(eventWords(kind, data, (id) => `<${id}>`)).toBe(text);
});

test("walls that do not stand are named", () => {
  expect(sandboxWords({ state: "partial", missing: ["system_calls"], reason: "no seccomp" }).about).toBe(
    "Not walled off from system calls. No seccomp.",
  );
  expect(sandboxWords(undefined).label).toBe("Not known");
});
