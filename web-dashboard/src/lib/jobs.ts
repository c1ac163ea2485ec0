import type { Job } from "@offpeak/sdk";
import type { Tone } from "../components/status";

export type JobState = Job["state"];
export const JOB_STATES = ["queued", "probing", "encoding", "finishing", "completed", "failed", "cancelled"] as const;
/** States in which a job is not over. */
export const OPEN_STATES = ["queued", "probing", "encoding", "finishing"] as const satisfies readonly JobState[];

export function isOpen(job: Pick<Job, "state">): boolean {
  return (OPEN_STATES as readonly JobState[]).includes(job.state);
}

/** What a job is called: the title that its submitter gave it, or its file's name. */
export function nameOfJob(job: Pick<Job, "metadata" | "source_name" | "id">): string {
  return job.metadata.title ?? job.metadata.name ?? job.source_name ?? job.id;
}

/** The words for a state. */
export const STATE_WORDS: Record<JobState, { word: string; tone: Tone; about: string }> = {
  queued: { word: "Queued", tone: "rest", about: "It waits for a machine." },
  probing: { word: "Reading", tone: "work", about: "A machine reads what the source is." },
  encoding: { word: "Encoding", tone: "work", about: "Machines encode its segments." },
  finishing: { word: "Finishing", tone: "work", about: "All segments are there; files are being made of them." },
  completed: { word: "Completed", tone: "done", about: "Everything is made." },
  failed: { word: "Failed", tone: "bad", about: "It could not be made." },
  cancelled: { word: "Cancelled", tone: "rest", about: "Somebody stopped it." },
};
