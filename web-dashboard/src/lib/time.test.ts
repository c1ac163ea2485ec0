import { expect, test } from "vitest";
import { duration, relativeTime } from "./time";

const now = new Date("2026-11-25T12:00:00Z");

test.each([
  ["2026-11-25T12:00:00Z", "just now"],
  ["2026-11-25T11:59:30Z", "just now"],
  ["2026-11-25T11:57:00Z", "3 minutes ago"],
  ["2026-11-25T12:00:40Z", "in 40 seconds"],
  ["2026-11-24T11:00:00Z", "yesterday"],
  ["2026-11-28T13:00:00Z", "in 3 days"],
])("%s is %s", (at, text) => {
  expect(relativeTime(new Date(at), now)).toBe(text);
});

test.each([
  [0, "0 s"],
  [0.2, "under 1 s"],
  [45.4, "45 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 5 min"],
  [3600, "1 h"],
  [86_400 * 3 + 4 * 3600 + 59, "3 d 4 h"],
  [Number.NaN, "–"],
])("%d s is %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
