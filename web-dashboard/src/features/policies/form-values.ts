import type { Policy } from "./api/policies";
import { type Hours, TIME } from "./schedule";

/** What the form holds: as the API has it, but for fields that may be empty, which are texts while somebody types. */
export interface Values {
  start_after_idle_seconds: number;
  resume_after_idle_seconds: number;
  release_after_suspended_seconds: number;
  /** In percent. */
  other_cpu_below: number | string;
  mains_only: boolean;
  unmetered_only: boolean;
  require_sandbox: boolean;
  schedule: Hours[];
  /** Empty is no cap. */
  max_cores: number | string;
  /** In GiB. */
  max_memory_mib: number | string;
  /** In Mbit/s. */
  max_bits_per_second: number | string;
}

const MIB_A_GIB = 1024;
const BITS_A_MEGABIT = 1_000_000;

export function toValues(policy: Policy): Values {
  return {
    ...policy,
    other_cpu_below: Math.round(policy.other_cpu_below * 100),
    max_cores: policy.max_cores ?? "",
    max_memory_mib: policy.max_memory_mib === null ? "" : policy.max_memory_mib / MIB_A_GIB,
    max_bits_per_second: policy.max_bits_per_second === null ? "" : policy.max_bits_per_second / BITS_A_MEGABIT,
  };
}

export function toPolicy(values: Values): Policy {
  const cap = (value: number | string, unit: number) => (value === "" ? null : Math.round(Number(value) * unit));
  return {
    ...values,
    other_cpu_below: Number(values.other_cpu_below) / 100,
    max_cores: cap(values.max_cores, 1),
    max_memory_mib: cap(values.max_memory_mib, MIB_A_GIB),
    max_bits_per_second: cap(values.max_bits_per_second, BITS_A_MEGABIT),
  };
}

type Field = keyof Values;

/** What breaks a rule of the server's, told at the field before anything is sent. */
export function check(values: Values): Partial<Record<Field, string>> {
  const within = (value: number | string, least: number, most: number) => value !== "" && Number(value) >= least && Number(value) <= most;
  const rules: [Field, boolean, string][] = [
    ["start_after_idle_seconds", within(values.start_after_idle_seconds, 10, 86_400), "10 seconds to 24 hours"],
    ["resume_after_idle_seconds", within(values.resume_after_idle_seconds, 5, 3600), "5 seconds to an hour"],
    ["release_after_suspended_seconds", within(values.release_after_suspended_seconds, 30, 3600), "30 seconds to an hour"],
    ["other_cpu_below", within(values.other_cpu_below, 5, 100), "5 to 100 %"],
    ["max_cores", values.max_cores === "" || (Number.isInteger(values.max_cores) && Number(values.max_cores) >= 1), "at least one core"],
    ["max_memory_mib", values.max_memory_mib === "" || Number(values.max_memory_mib) >= 0.25, "at least 0.25 GiB"],
    ["max_bits_per_second", values.max_bits_per_second === "" || Number(values.max_bits_per_second) >= 0.1, "at least 0.1 Mbit/s"],
    ["schedule", values.schedule.every(({ days }) => days.length > 0), "Each stretch needs a day."],
    ["schedule", values.schedule.every(({ from, to }) => TIME.test(from) && TIME.test(to)), "A time of day is written like 18:30."],
    ["schedule", values.schedule.every(({ from }) => from !== "24:00"), "A stretch begins before 24:00."],
    ["schedule", values.schedule.every(({ from, to }) => from !== to), "The beginning and the end of a stretch differ."],
  ];
  return Object.fromEntries(rules.filter(([, holds]) => !holds).map(([field, , message]) => [field, message]));
}
