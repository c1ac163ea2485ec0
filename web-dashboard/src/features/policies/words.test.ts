import { expect, test } from "vitest";
import { NIGHTS_AND_WEEKENDS } from "./schedule";
import { DEFAULTS, memoryInWords, policyInWords, timeInWords } from "./words";

test("a policy of defaults", () => {
  expect(policyInWords(DEFAULTS)).toEqual([
    "Works at any time, when nobody has touched the machine for 5 minutes and other programs use less than 30 % of the processor.",
    "Stops at once when somebody comes back, and goes on after 1 minute of quiet. Work that had to wait for 10 minutes goes to another machine.",
    "Only while plugged in, and not over a connection that is paid by volume.",
    "Uses all cores, and the memory that the machine can spare.",
  ]);
});

test("one with everything", () => {
  const words = policyInWords({
    ...DEFAULTS,
    schedule: NIGHTS_AND_WEEKENDS,
    start_after_idle_seconds: 90,
    other_cpu_below: 1,
    mains_only: false,
    unmetered_only: false,
    max_cores: 4,
    max_memory_mib: 8192,
    max_bits_per_second: 20_000_000,
    require_sandbox: true,
  });
  expect(words[0]).toBe(
    "Works on weeknights 18:00–08:00 and all day at weekends, when nobody has touched the machine for 1 minute and 30 seconds.",
  );
  expect(words[2]).toBe("Also on battery, and over any connection.");
  expect(words[3]).toBe("Uses at most 4 cores, 8 GiB of memory and 20 Mbit/s of the network.");
  expect(words[4]).toContain("walled off");
});

test.each([
  [10, "10 seconds"],
  [60, "1 minute"],
  [3661, "1 hour, 1 minute and 1 second"],
  [86_400, "24 hours"],
])("%d s are %s", (seconds, text) => {
  expect(timeInWords(seconds)).toBe(text);
});

test.each([
  [512, "512 MiB"],
  [16_384, "16 GiB"],
  [1536, "1.5 GiB"],
])("%d MiB are %s", (mebibytes, text) => {
  expect(memoryInWords(mebibytes)).toBe(text);
});
