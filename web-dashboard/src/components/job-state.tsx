import { isOpen, type JobState, STATE_WORDS } from "../lib/jobs";
import { Status } from "./status";

/** A job's state in a word, with what it means on hover. */
export function JobStateBadge({ state }: { state: JobState }) {
  const { word, tone, about } = STATE_WORDS[state];
  return (
    <span title={about}>
      <Status tone={tone} pulse={isOpen({ state }) && state !== "queued"}>
        {word}
      </Status>
    </span>
  );
}
