import { expect, test } from "vitest";
import { byHourOfWeek, contribution, habitsInWords } from "./habits";

const MINUTE = 60_000;
/** An hour on the viewer's clock, whichever that is where the test runs. */
const at = (day: number, hour: number) => new Date(2026, 10, 22 + day, hour).toISOString();

test("hours of several weeks are averaged", () => {
  const monday = new Date(2026, 10, 23, 9);
  const before = new Date(2026, 10, 16, 9);
  const cells = byHourOfWeek(
    [
      { hour: monday.toISOString(), milliseconds: { user_active: 60 * MINUTE } },
      { hour: before.toISOString(), milliseconds: { encoding: 20 * MINUTE, waiting: 10 * MINUTE, user_active: 30 * MINUTE } },
    ],
    "free",
  );
  expect(cells).toHaveLength(7);
  expect(cells[0]).toHaveLength(24);
  expect(cells[0]?.[9]).toEqual({ level: 0.25, text: "free for 15 of 60 minutes, on average" });
  expect(cells[0]?.[10]).toEqual({ level: undefined, text: "nothing is known" });
});

test("Sunday is the last row", () => {
  const hours = [{ hour: at(0, 23), milliseconds: { encoding: 60 * MINUTE } }];
  expect(byHourOfWeek(hours, "encoding")[6]?.[23]?.level).toBe(1);
  expect(habitsInWords(byHourOfWeek(hours, "encoding"), "encoding")).toBe("How long it is encoding on average: Sunday 1 d.");
});

test("what a machine gave adds up", () => {
  const hours = [
    { hour: at(1, 1), milliseconds: { encoding: 30 * MINUTE, waiting: 30 * MINUTE } },
    { hour: at(1, 2), milliseconds: { offline: 60 * MINUTE } },
  ];
  expect(contribution(hours)).toEqual({ encodingSeconds: 1800, freeSeconds: 3600, knownSeconds: 7200 });
  expect(habitsInWords(byHourOfWeek([], "free"), "free")).toBe("Nothing is known of its week yet.");
});
