import { beforeEach, expect, test } from "vitest";
import { settleTeam } from "./session";
import { chooseTeam, chosenTeam } from "./team";

const [A, B] = [
  { id: "team_A", name: "Archive" },
  { id: "team_B", name: "Newsroom" },
];
beforeEach(() => {
  chooseTeam(undefined);
});

test("who belongs to several teams is in the first until they choose", () => {
  settleTeam({ role: "member", teams: [A, B] });
  expect(chosenTeam()).toBe("team_A");
  chooseTeam("team_B");
  settleTeam({ role: "member", teams: [A, B] });
  expect(chosenTeam()).toBe("team_B");
});

test("who has one team or none need not say so", () => {
  settleTeam({ role: "member", teams: [A] });
  settleTeam({ role: "admin", teams: [] });
  expect(chosenTeam()).toBeUndefined();
});

test("a team that one was taken out of is left", () => {
  chooseTeam("team_C");
  settleTeam({ role: "operator", teams: [A] });
  expect(chosenTeam()).toBe("team_C");
  settleTeam({ role: "member", teams: [A] });
  expect(chosenTeam()).toBe("team_A");
  settleTeam({ role: "member", teams: [] });
  expect(chosenTeam()).toBeUndefined();
});
