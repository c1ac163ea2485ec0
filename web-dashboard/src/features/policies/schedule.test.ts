import { expect, test } from "vitest";
import {
  type Hours,
  hoursAWeek,
  isAllowed,
  minuteOf,
  NIGHTS_AND_WEEKENDS,
  scheduleInWords,
  TIME,
  timeOf,
  weekOf,
  WEEKENDS,
} from "./schedule";

const hours = (days: Hours["days"], from: string, to: string): Hours => ({ days, from, to });

// The same cases as the server's own (openapi/src/policy.rs).
test.each([
  [0, "07:59", false],
  [0, "17:59", false],
  [0, "18:00", true],
  [1, "07:59", true],
  [1, "08:00", false],
  [4, "23:59", true],
  [5, "03:00", true],
  [6, "23:59", true],
])("nights and weekends on day %d at %s: %s", (day, at, allowed) => {
  expect(isAllowed(NIGHTS_AND_WEEKENDS, day, minuteOf(at))).toBe(allowed);
});

test("an empty schedule is always", () => {
  expect(isAllowed([], 0, 720)).toBe(true);
  expect(hoursAWeek([])).toBe(168);
});

test.each([
  [[], "at any time"],
  [NIGHTS_AND_WEEKENDS, "on weeknights 18:00–08:00 and all day at weekends"],
  [WEEKENDS, "all day at weekends"],
  [
    [hours(["mon", "tue", "wed", "thu"], "18:00", "08:00"), hours(["fri"], "18:00", "24:00"), hours(["sat", "sun"], "00:00", "24:00")],
    "Monday to Thursday 18:00–08:00, on Fridays 18:00–24:00 and all day at weekends",
  ],
  [[hours(["mon", "wed", "fri"], "12:00", "13:00")], "on Mondays, Wednesdays and Fridays 12:00–13:00"],
  [[hours(["mon", "tue", "wed", "thu", "fri"], "12:00", "13:30")], "on weekdays 12:00–13:30"],
  [[hours(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "22:00", "06:00")], "every night 22:00–06:00"],
  [[hours(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "00:00", "24:00")], "at any time"],
  [[hours([], "12:00", "13:00")], "never"],
])("%j is %s", (schedule, text) => {
  expect(scheduleInWords(schedule)).toBe(text);
});

test("the week shows parts of hours", () => {
  const week = weekOf([hours(["sun"], "22:30", "01:15")]);
  expect(week[6]?.[22]?.level).toBe(0.5);
  expect(week[6]?.[23]?.text).toBe("work is allowed");
  expect(week[0]?.[0]?.level).toBe(1);
  expect(week[0]?.[1]).toEqual({ level: 0.25, text: "work is allowed for 15 of 60 minutes" });
  expect(hoursAWeek([hours(["sun"], "22:30", "01:15")])).toBe(2.8);
});

test.each([
  ["00:00", true],
  ["24:00", true],
  ["9:00", false],
  ["24:01", false],
  ["18:60", false],
  ["", false],
])("%j is a time of day: %s", (text, is) => {
  expect(TIME.test(text)).toBe(is);
});

test("minutes are written as they are read", () => {
  for (const minute of [0, 485, 1440]) expect(minuteOf(timeOf(minute))).toBe(minute);
});
