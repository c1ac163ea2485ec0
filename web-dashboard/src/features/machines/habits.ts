import type { WeekCell } from "../../components/week-grid";
import { duration } from "../../lib/time";
import { DAYS, DAY_NAMES } from "../../lib/week";
import type { AgentHour } from "./api/agents";

const HOUR_MS = 3_600_000;

/** States in which a machine is the farm's: at work, or it would begin at once. */
const FREE = new Set(["encoding", "leasing", "waiting"]);
const ENCODING = new Set(["encoding", "leasing"]);

export type Aspect = "free" | "encoding";

/** Of each hour of the week (Monday first, on the viewer's clock), which share the machine was free, or encoded. */
export function byHourOfWeek(hours: readonly AgentHour[], aspect: Aspect): WeekCell[][] {
  const wanted = aspect === "free" ? FREE : ENCODING;
  const sums = DAYS.map(() => Array.from({ length: 24 }, () => ({ counted: 0, known: 0 })));
  for (const { hour, milliseconds } of hours) {
    const at = new Date(hour);
    const sum = sums[(at.getDay() + 6) % 7]?.[at.getHours()];
    if (sum === undefined) continue;
    sum.counted += total(milliseconds, wanted);
    sum.known += total(milliseconds);
  }
  return sums.map((day) =>
    day.map(({ counted, known }) => {
      if (known === 0) return { level: undefined, text: "nothing is known" };
      const level = counted / known;
      return { level, text: `${aspect} for ${Math.round(level * 60)} of 60 minutes, on average` };
    }),
  );
}

export interface Contribution {
  encodingSeconds: number;
  freeSeconds: number;
  knownSeconds: number;
}

export function contribution(hours: readonly AgentHour[]): Contribution {
  const add = (states?: ReadonlySet<string>) => hours.reduce((sum, { milliseconds }) => sum + total(milliseconds, states), 0) / 1000;
  return { encodingSeconds: add(ENCODING), freeSeconds: add(FREE), knownSeconds: add() };
}

/** The picture in a sentence. */
export function habitsInWords(cells: readonly (readonly WeekCell[])[], aspect: Aspect): string {
  const means = cells.map((day) => {
    const known = day.flatMap(({ level }) => (level === undefined ? [] : [level]));
    return known.length === 0 ? undefined : known.reduce((sum, level) => sum + level, 0) / known.length;
  });
  const days = DAYS.flatMap((day, at) => {
    const mean = means[at];
    return mean === undefined ? [] : [`${DAY_NAMES[day]} ${duration(mean * 24 * 3600)}`];
  });
  return days.length === 0 ? "Nothing is known of its week yet." : `How long it is ${aspect} on average: ${days.join(", ")}.`;
}

function total(milliseconds: Record<string, number>, states?: ReadonlySet<string>): number {
  return Object.entries(milliseconds).reduce(
    (sum, [state, ms]) => (states === undefined || states.has(state) ? sum + Math.min(ms, HOUR_MS) : sum),
    0,
  );
}
