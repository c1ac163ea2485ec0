import { expect, test } from "vitest";
import { percent, shareOf } from "./share";

test("the farm is shared by weight", () => {
  const teams = [{ weight: 2 }, { weight: 1 }, { weight: 1 }];
  expect(teams.map(({ weight }) => percent(shareOf(weight, teams)))).toEqual(["50 %", "25 %", "25 %"]);
  expect(percent(shareOf(0.01, [{ weight: 0.01 }, { weight: 100 }]))).toBe("< 1 %");
  expect(shareOf(1, [])).toBe(0);
});
