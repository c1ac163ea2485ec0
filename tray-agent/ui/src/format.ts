// Numbers and times as people read them.

import { strings } from "./strings";
import type { Day, Hours } from "./shell";

const units = strings.units;
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const DAY_MS = 86_400_000;
const twoDigits = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });

export function count(value: number): string {
  return whole.format(value);
}

/** `12 s`, `42 min`, `3 h 5 min`, `2 days 4 h`: never more than two units. */
export function span(seconds: number): string {
  const rest = Math.max(0, Math.floor(seconds));
  if (rest < 60) return units.seconds(whole.format(rest));
  const minutes = Math.floor(rest / 60);
  if (minutes < 60) return units.minutes(whole.format(minutes));
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return join(units.hours(whole.format(hours)), minutes % 60, units.minutes);
  return join(units.days(whole.format(Math.floor(hours / 24))), hours % 24, units.hours);
}

/** Video is counted in minutes: a tenth below ten, hours only when minutes say nothing any more. */
export function video(seconds: number): string {
  const minutes = seconds / 60;
  if (minutes < 10) return units.minutes(oneDigit.format(minutes));
  if (minutes < 600) return units.minutes(whole.format(minutes));
  return units.hours(whole.format(minutes / 60));
}

export function energy(wattHours: number): string {
  if (wattHours < 10) return units.wh(oneDigit.format(wattHours));
  if (wattHours < 1000) return units.wh(whole.format(wattHours));
  return units.kwh((wattHours < 100_000 ? oneDigit : whole).format(wattHours / 1000));
}

export function memory(mib: number): string {
  return mib < 1024 ? units.mib(whole.format(mib)) : units.gib(oneDigit.format(mib / 1024));
}

export function rate(bits: number): string {
  return units.mbits(twoDigits.format(bits / 1e6));
}

/** The rest of a sentence, standing alone. */
export function sentence(text: string): string {
  if (text === "") return "";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

/** `15:23` of this day, `Mon 15:23` less than a week away, `1 Dec 15:23` of any other. */
export function moment(time: string, now = new Date()): string {
  const at = new Date(time);
  const clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  // Days on which clocks are changed are not 24 h long.
  const days = Math.abs(Math.round((midnight(at) - midnight(now)) / DAY_MS));
  if (days === 0) return clock;
  return `${at.toLocaleDateString("en-GB", days < 7 ? { weekday: "short" } : { day: "numeric", month: "short" })} ${clock}`;
}

function midnight(time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
}

/** `25 Nov 15:23:01`. */
export function stamp(time: string): string {
  const at = new Date(time);
  return `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${at.toLocaleTimeString("en-GB")}`;
}

const DAYS: Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** `Mon–Fri 18:00–08:00; Sat, Sun all day`. */
export function schedule(hours: Hours[]): string {
  if (hours.length === 0) return strings.limits.scheduleAny;
  const times = ({ from, to }: Hours) => (from === "00:00" && to === "24:00" ? strings.limits.wholeDay : `${from}–${to}`);
  return hours.map((stretch) => `${daysOf(stretch.days)} ${times(stretch)}`).join("; ");
}

function daysOf(days: Day[]): string {
  const names = strings.limits.days;
  const runs: Day[][] = [];
  for (const day of DAYS.filter((day) => days.includes(day))) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last !== undefined && DAYS.indexOf(day) === DAYS.indexOf(last) + 1) run.push(day);
    else runs.push([day]);
  }
  const named = (day: Day | undefined) => (day === undefined ? "" : names[day]);
  return runs
    .map((run) => (run.length > 2 ? `${named(run[0])}–${named(run.at(-1))}` : run.map(named).join(", ")))
    .join(", ");
}

function join(first: string, rest: number, unit: (count: string) => string): string {
  return rest === 0 ? first : `${first} ${unit(whole.format(rest))}`;
}
