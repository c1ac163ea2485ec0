import { expect, test } from "vitest";
import schema from "../../../../openapi/openapi.json";
import { counted, GROUPS } from "./fleet-groups";

test("every state that the API knows has a place, but for revoked machines, which are not counted", () => {
  const known = GROUPS.flatMap(({ states }) => Object.keys(states));
  expect([...known].sort()).toEqual(schema.components.schemas.AgentState.enum.filter((state) => state !== "revoked").sort());
});

test("machines are counted by group, with the commonest reason first", () => {
  const found = counted({ waiting: 2, user_active: 1, busy_cpu: 3, offline: 4 });
  expect(found.map(({ group, machines }) => [group.name, machines])).toEqual([
    ["Ready", 2],
    ["In use by their people", 4],
    ["Off", 4],
  ]);
  expect(found[1]?.reasons).toEqual([
    { machines: 3, word: "busy with other programs" },
    { machines: 1, word: "with somebody at the keyboard" },
  ]);
});
