/** What to do about an error, by its stable code (docs/problems.md); the server's own message says what happened. */
const ADVICE: Record<string, string> = {
  fetch_failed: "Check that the address can be reached from the machines, and that it leads to the file itself. Then try again.",
  not_a_video: "Send a file that holds pictures or sound: most players' formats will do.",
  nothing_to_encode: "Send a file that holds pictures or sound.",
  lease_expired: "Machines fell silent again and again at this part. If they are healthy otherwise, try again.",
  source_deleted: "Upload the file again, and make a new job of it.",
  init_mismatch: "Machines with different builds of ffmpeg worked on it. Update the engines, then try again.",
  too_long: "Cut the film into parts, or ask an administrator to raise the limit.",
};
const OTHERWISE = "Trying again does only what is missing. If it fails on every machine, the source is the likely cause: the log below says where it stopped.";

export function adviceFor(code: string): string {
  return ADVICE[code] ?? OTHERWISE;
}
