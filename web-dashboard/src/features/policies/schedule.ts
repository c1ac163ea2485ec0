import type { WeekCell } from "../../components/week-grid";
import type { Schemas } from "../../lib/api";
import { type Day, DAY_NAMES, DAYS } from "../../lib/week";

export type Hours = Schemas["Hours"];

const DAY_MINUTES = 24 * 60;
const END_OF_DAY = "24:00";

export const NIGHTS_AND_WEEKENDS: Hours[] = [
  { days: ["mon", "tue", "wed", "thu", "fri"], from: "18:00", to: "08:00" },
  { days: ["sat", "sun"], from: "00:00", to: END_OF_DAY },
];
export const WEEKENDS: Hours[] = [{ days: ["sat", "sun"], from: "00:00", to: END_OF_DAY }];

/** Minutes since midnight of `18:30`; `24:00` is the end of the day. */
export function minuteOf(time: string): number {
  const [hours = "0", minutes = "0"] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** How a time of day is written. */
export const TIME = /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** `18:30` of minutes since midnight. */
export function timeOf(minute: number): string {
  const twoDigits = (n: number) => String(n).padStart(2, "0");
  return `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;
}

/**
 * True when the schedule allows work at this minute of this day (0 is Monday), as engines read it: a stretch that ends before
 * it begins goes on after midnight, and an empty schedule is always.
 */
export function isAllowed(schedule: readonly Hours[], day: number, minute: number): boolean {
  if (schedule.length === 0) return true;
  const today = DAYS[day];
  const yesterday = DAYS[(day + 6) % 7];
  return schedule.some(({ days, from: begin, to: end }) => {
    const [from, to] = [minuteOf(begin), minuteOf(end)];
    const begins = (name: Day | undefined) => name !== undefined && days.includes(name);
    if (from < to) return begins(today) && minute >= from && minute < to;
    return (begins(today) && minute >= from) || (begins(yesterday) && minute < to);
  });
}

/** Which share of each hour of the week is allowed. */
export function weekOf(schedule: readonly Hours[]): WeekCell[][] {
  return DAYS.map((_, day) =>
    Array.from({ length: 24 }, (_, hour) => {
      let minutes = 0;
      for (let minute = 0; minute < 60; minute += 1) if (isAllowed(schedule, day, hour * 60 + minute)) minutes += 1;
      const text = minutes === 60 ? "work is allowed" : minutes === 0 ? "no work" : `work is allowed for ${minutes} of 60 minutes`;
      return { level: minutes / 60, text };
    }),
  );
}

/** Hours a week in which work is allowed, to a tenth. */
export function hoursAWeek(schedule: readonly Hours[]): number {
  const hours = weekOf(schedule).flat();
  return Math.round(hours.reduce((sum, { level }) => sum + (level ?? 0), 0) * 10) / 10;
}

/** When work is allowed, to follow "Works": `at any time`, `on weeknights 18:00–08:00 and all day at weekends`. */
export function scheduleInWords(schedule: readonly Hours[]): string {
  const parts = schedule.filter(({ days }) => days.length > 0).map(stretchInWords);
  if (schedule.length === 0 || parts.includes(AT_ANY_TIME)) return AT_ANY_TIME;
  return parts.length === 0 ? "never" : list(parts);
}

const AT_ANY_TIME = "at any time";

function stretchInWords({ days, from, to }: Hours): string {
  const isWhole = minuteOf(from) === 0 && minuteOf(to) === DAY_MINUTES;
  const isOvernight = minuteOf(from) > minuteOf(to);
  if (isWhole) return days.length === 7 ? AT_ANY_TIME : `all day ${daysInWords(days, false)}`;
  return `${daysInWords(days, isOvernight)} ${from}–${to}`;
}

function daysInWords(days: readonly Day[], overnight: boolean): string {
  const at = DAYS.flatMap((day, index) => (days.includes(day) ? [index] : []));
  const [first = 0] = at;
  const last = at.at(-1) ?? first;
  const isRun = last - first === at.length - 1;
  if (at.length === 7) return overnight ? "every night" : "every day";
  if (isRun && first === 0 && last === 4) return overnight ? "on weeknights" : "on weekdays";
  if (isRun && first === 5 && last === 6) return "at weekends";
  if (isRun && at.length >= 3) return `${name(first)} to ${name(last)}`;
  return `on ${list(at.map((day) => `${name(day)}s`))}`;
}

function name(day: number): string {
  const known = DAYS[day];
  return known === undefined ? "" : DAY_NAMES[known];
}

/** `a`, `a and b`, `a, b and c`. */
export function list(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? "") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1) ?? ""}`;
}
