import type { JobEvent } from "@offpeak/sdk";
import type { Tone } from "../../components/status";
import { byteSize } from "../../lib/format";
import { duration } from "../../lib/time";

/** One line of the timeline. */
export interface Told {
  key: string;
  at: string;
  tone: Tone;
  text: string;
  /** Why, or what to do. */
  detail?: string;
  /** Worth seeing in the short version. */
  important: boolean;
}

type Names = ReadonlyMap<string, string>;

/** What happened, oldest first, in words. Commits of one machine in a row become one line. */
export function tell(events: readonly JobEvent[], names: Names): Told[] {
  const told: Told[] = [];
  const holders = new Map<string, string>();
  let run: { agent: string; kind: string; first: number; last: number; bytes: number } | undefined;
  for (const event of events) {
    const data = fields(event.data);
    if (event.kind === "segments.committed") {
      const commit = { agent: data.text("agent"), kind: data.text("kind"), first: data.number("first"), last: data.number("last"), bytes: data.number("bytes") };
      if (run?.agent === commit.agent && run.kind === commit.kind && run.last === commit.first) {
        run = { ...run, last: commit.last, bytes: run.bytes + commit.bytes };
        told.pop();
      } else {
        run = commit;
      }
      told.push({
        key: String(event.sequence),
        at: event.at,
        tone: "done",
        important: false,
        text: `${name(run.agent, names)} delivered ${range(run.first, run.last, run.kind)}`,
        ...(run.bytes > 0 ? { detail: byteSize(run.bytes) } : {}),
      });
      continue;
    }
    const silent = data.has("taken_over") ? holders.get(data.text("taken_over")) : undefined;
    if (event.kind === "lease.granted") holders.set(data.text("lease"), data.text("agent"));
    const line = lineOf(event.kind, data, names, silent);
    if (line === undefined) continue;
    run = undefined;
    told.push({ key: String(event.sequence), at: event.at, ...line });
  }
  return told;
}

function lineOf(kind: string, data: Fields, names: Names, silent: string | undefined): Omit<Told, "key" | "at"> | undefined {
  const agent = () => name(data.text("agent"), names);
  const ends = (tone: Tone, text: string, detail?: string) => ({ tone, text, important: true, ...(detail === undefined ? {} : { detail }) });
  const line = (tone: Tone, text: string, detail?: string) => ({ ...ends(tone, text, detail), important: false });
  switch (kind) {
    case "job.created":
      return ends("rest", "The job was made", `Profile ${data.text("profile")}`);
    case "job.planned": {
      const renditions = data.list("renditions");
      const facts = [`${duration(data.number("duration_seconds"))} of film`, `${data.number("segments")} segments`, `${data.number("spans")} spans`];
      return ends("work", "The source was read and the work planned", [...facts, ...(renditions.length > 0 ? [renditions.join(", ")] : [])].join(" · "));
    }
    case "job.playable":
      return ends("done", "It can be played");
    case "job.encoded":
      return ends("work", "All segments are there", `${count(data.number("files"), "file")} to make of them`);
    case "job.completed":
      return ends("done", "Completed");
    case "job.failed":
      return ends("bad", "Failed", data.text("message"));
    case "job.cancelled":
      return ends("rest", "Cancelled");
    case "job.retried":
      return ends("work", "Tried again", "Only what is missing is done again.");
    case "lease.granted":
      if (silent !== undefined) {
        return ends("warm", `${agent()} took ${task(data)} over from ${name(silent, names)}`, "Nothing was heard of it any more; what it had delivered stays.");
      }
      return line("work", `${agent()} took ${task(data)}`);
    case "lease.ended":
      return leaseEnd(agent(), data);
    case "span.stolen":
      return line(
        "work",
        `${name(data.text("thief"), names)} took segments ${data.number("from")}–${data.number("last") - 1} over from ${agent()}`,
        "It was idle, and they would have waited longest.",
      );
    case "task.doubled":
      return line("warm", `${name(data.text("second"), names)} was set beside ${agent()}`, "Who is done first counts.");
    case "renditions.voided":
      return ends("warm", "Renditions begin again", `Their machines disagree about how they are encoded (${data.text("why")}).`);
    default:
      return line("rest", kind);
  }
}

function leaseEnd(agent: string, data: Fields): Omit<Told, "key" | "at"> | undefined {
  const how = data.text("how");
  const why = data.object("why");
  const message = why?.text("message") ?? data.text("why");
  switch (how) {
    case "completed":
      return { tone: "done", text: `${agent} finished ${taskName(data.text("kind"))}`, important: false };
    case "released":
      return { tone: "rest", text: `${agent} handed ${task(data)} back`, detail: REASONS[message] ?? message, important: false };
    case "failed":
      return { tone: "bad", text: `${agent} failed at ${task(data)}`, detail: message, important: true };
    case "expired":
    case "lost":
      return { tone: "warm", text: `${agent} fell silent`, detail: `${capital(task(data))} went back into the queue.`, important: true };
    case "superseded":
      return { tone: "rest", text: `${agent} was overtaken`, detail: "Another machine delivered the same first.", important: false };
    case "cancelled":
      return { tone: "rest", text: `${agent} stopped`, important: false };
    default:
      return { tone: "rest", text: `${agent}: ${how === "" ? "its lease ended" : how}`, ...(message === "" ? {} : { detail: message }), important: false };
  }
}

/** Reasons of a release (`ReleaseReason`), in words. */
const REASONS: Record<string, string> = {
  user_returned: "Somebody is at the machine again.",
  shutdown: "The machine is shutting down.",
  schedule: "Its hours are over.",
  battery: "It runs on battery now.",
  low_memory: "It ran low on memory.",
  drained: "It is being drained.",
};

function task(data: Fields): string {
  const kind = data.text("kind");
  const first = data.has("cursor") ? data.number("cursor") : data.number("first");
  return kind === "encode" ? range(first, data.number("last"), kind) : taskName(kind);
}

function taskName(kind: string): string {
  const names: Record<string, string> = {
    fetch: "the download",
    probe: "reading the source",
    encode: "its span",
    audio: "the sound",
    file: "a file",
  };
  return names[kind] ?? (kind === "" ? "some work" : kind);
}

/** People count the last one in. */
function range(first: number, last: number, kind: string): string {
  const what = kind === "audio" ? "sound segment" : "segment";
  return last - first === 1 ? `${what} ${first}` : `${what}s ${first}–${last - 1}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function name(agent: string, names: Names): string {
  return names.get(agent) ?? (agent === "" ? "A machine" : `Machine …${agent.slice(-4)}`);
}

interface Fields {
  has: (key: string) => boolean;
  text: (key: string) => string;
  number: (key: string) => number;
  list: (key: string) => string[];
  object: (key: string) => Fields | undefined;
}

/** The data of an event, which is particular to its kind: read by name, with something harmless for what is missing. */
function fields(data: unknown): Fields {
  const record = (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown>;
  return {
    has: (key) => record[key] != null,
    text: (key) => (typeof record[key] === "string" ? record[key] : ""),
    number: (key) => (typeof record[key] === "number" ? record[key] : 0),
    list: (key) => (Array.isArray(record[key]) ? record[key].map(String) : []),
    object: (key) => (typeof record[key] === "object" && record[key] !== null ? fields(record[key]) : undefined),
  };
}
