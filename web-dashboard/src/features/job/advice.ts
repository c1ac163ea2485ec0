import type { Schemas } from "../../lib/api";

/**
 * What to do about a failed job, beside what the message says itself. A machine that finds the source at fault ends the job at
 * once; other failures are tried on further machines first.
 */
export function adviceFor({ code, failures = [] }: Schemas["JobError"]): string {
  const machines = new Set(failures.map(({ agent }) => agent)).size;
  if (failures.every((failure) => failure.code === "lease_expired") && machines > 0) {
    return "Machines fell silent at this part again and again. Look whether they are healthy, then try again: what is made stays.";
  }
  if (code === "fetch_failed") return "Look whether the address can be reached from the machines and leads to the file itself, then try again.";
  if (machines > 1) {
    return `It failed on ${machines} machines in turn, so the film itself is the likely cause; the log says where. Trying again does only what is missing.`;
  }
  return "This is about the film: send one that is whole. Trying again is worth it only if something has changed since.";
}
