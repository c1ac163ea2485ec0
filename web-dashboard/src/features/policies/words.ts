import { bitRate } from "../../lib/format";
import type { Policy } from "./api/policies";
import { list, scheduleInWords } from "./schedule";

/** What the server gives a new group. */
export const DEFAULTS: Policy = {
  start_after_idle_seconds: 300,
  resume_after_idle_seconds: 60,
  release_after_suspended_seconds: 600,
  other_cpu_below: 0.3,
  mains_only: true,
  unmetered_only: true,
  schedule: [],
  max_cores: null,
  max_memory_mib: null,
  max_bits_per_second: null,
  require_sandbox: false,
};

/** What a policy means, sentence by sentence. */
export function policyInWords(policy: Policy): string[] {
  return [begins(policy), stops(policy), power(policy), caps(policy), ...(policy.require_sandbox ? [SANDBOX] : [])];
}

const SANDBOX = "Machines where ffmpeg is not walled off in full get no work.";

/** The first thing one wants to know, for lists. */
export function begins({ schedule, start_after_idle_seconds: idle, other_cpu_below: cpu }: Policy): string {
  const others = cpu >= 1 ? "" : ` and other programs use less than ${Math.round(cpu * 100)}\u00a0% of the processor`;
  return `Works ${scheduleInWords(schedule)}, when nobody has touched the machine for ${timeInWords(idle)}${others}.`;
}

function stops({ resume_after_idle_seconds: resume, release_after_suspended_seconds: release }: Policy): string {
  return `Stops at once when somebody comes back, and goes on after ${timeInWords(resume)} of quiet. Work that had to wait for ${timeInWords(release)} goes to another machine.`;
}

function power({ mains_only: mains, unmetered_only: unmetered }: Policy): string {
  if (mains && unmetered) return "Only while plugged in, and not over a connection that is paid by volume.";
  if (mains) return "Only while plugged in; over any connection, also one that is paid by volume.";
  if (unmetered) return "Also on battery; not over a connection that is paid by volume.";
  return "Also on battery, and over any connection.";
}

function caps({ max_cores: cores, max_memory_mib: memory, max_bits_per_second: bits }: Policy): string {
  const parts = [
    ...(cores === null ? [] : [cores === 1 ? "one core" : `${cores} cores`]),
    ...(memory === null ? [] : [`${memoryInWords(memory)} of memory`]),
    ...(bits === null ? [] : [`${bitRate(bits).replace(".0 ", " ")} of the network`]),
  ];
  return parts.length === 0 ? "Uses all cores, and the memory that the machine can spare." : `Uses at most ${list(parts)}.`;
}

export function memoryInWords(mebibytes: number): string {
  return mebibytes % 1024 === 0
    ? `${mebibytes / 1024} GiB`
    : mebibytes > 1024
      ? `${(mebibytes / 1024).toFixed(1)} GiB`
      : `${mebibytes} MiB`;
}

/** `5 minutes`, `1 minute and 30 seconds`, `2 hours`. */
export function timeInWords(seconds: number): string {
  const units: [number, string][] = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [Math.floor(seconds) % 60, "second"],
  ];
  const parts = units.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return parts.length === 0 ? "no time" : list(parts);
}
