import { expect, test } from "vitest";
import { check, toPolicy, toValues, type Values } from "./form-values";
import { NIGHTS_AND_WEEKENDS } from "./schedule";
import { DEFAULTS } from "./words";

test("what is not touched is sent as it came", () => {
  const policy = {
    ...DEFAULTS,
    schedule: NIGHTS_AND_WEEKENDS,
    max_cores: 4,
    max_memory_mib: 1536,
    max_bits_per_second: 2_500_000,
    other_cpu_below: 0.35,
  };
  expect(toPolicy(toValues(policy))).toEqual(policy);
  expect(toPolicy(toValues(DEFAULTS))).toEqual(DEFAULTS);
  expect(check(toValues(policy))).toEqual({});
});

test.each<[Partial<Values>, keyof Values]>([
  [{ start_after_idle_seconds: 9 }, "start_after_idle_seconds"],
  [{ resume_after_idle_seconds: 4000 }, "resume_after_idle_seconds"],
  [{ release_after_suspended_seconds: 1 }, "release_after_suspended_seconds"],
  [{ other_cpu_below: "" }, "other_cpu_below"],
  [{ other_cpu_below: 101 }, "other_cpu_below"],
  [{ max_cores: 0 }, "max_cores"],
  [{ max_memory_mib: 0.1 }, "max_memory_mib"],
  [{ max_bits_per_second: 0.01 }, "max_bits_per_second"],
  [{ schedule: [{ days: [], from: "08:00", to: "18:00" }] }, "schedule"],
  [{ schedule: [{ days: ["mon"], from: "08:00", to: "08:00" }] }, "schedule"],
  [{ schedule: [{ days: ["mon"], from: "8 am", to: "18:00" }] }, "schedule"],
  [{ schedule: [{ days: ["mon"], from: "24:00", to: "18:00" }] }, "schedule"],
])("%j is told at its field", (change, field) => {
  expect(Object.keys(check({ ...toValues(DEFAULTS), ...change }))).toEqual([field]);
});
