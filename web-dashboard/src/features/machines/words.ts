import type { Tone } from "../../components/status";
import type { Schemas } from "../../lib/api";
import { duration } from "../../lib/time";
import type { Agent, AgentDetail } from "./api/agents";

type State = Schemas["AgentState"];

/** What a machine is to the farm at this moment: what the list is filtered by. */
export const KINDS = ["working", "ready", "away", "attention", "off"] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_LABELS: Record<Kind, string> = {
  working: "Encoding",
  ready: "Ready",
  away: "In use",
  attention: "Need attention",
  off: "Off",
};

interface Words {
  label: string;
  tone: Tone;
  kind: Kind;
  /** For when the engine gave no reason of its own. */
  sentence: string;
}

const WORDS: Record<State, Words> = {
  broken: { label: "Cannot work", tone: "bad", kind: "attention", sentence: "Its engine found a fault and asks for no work." },
  revoked: { label: "Revoked", tone: "rest", kind: "off", sentence: "It no longer belongs to the farm." },
  set_aside: { label: "Set aside", tone: "warm", kind: "attention", sentence: "It gets no work." },
  updating: { label: "Updating", tone: "work", kind: "off", sentence: "Its engine is being replaced by a newer one." },
  paused: { label: "Paused", tone: "rest", kind: "away", sentence: "The person at the machine paused it, until they say otherwise." },
  snoozed: { label: "Snoozed", tone: "rest", kind: "away", sentence: "The person at the machine wants to be left alone for some hours." },
  draining: { label: "Draining", tone: "warm", kind: "attention", sentence: "It ends what it holds and gets nothing more." },
  off_schedule: { label: "Off schedule", tone: "rest", kind: "away", sentence: "Its group's schedule allows no work at this hour." },
  presenting: { label: "Presenting", tone: "warm", kind: "away", sentence: "A program fills the screen, or somebody is in a call." },
  user_active: { label: "In use", tone: "warm", kind: "away", sentence: "Somebody is working at it." },
  on_battery: { label: "On battery", tone: "rest", kind: "away", sentence: "It works only while it is plugged in." },
  metered: { label: "Metered network", tone: "rest", kind: "away", sentence: "Its connection is paid by volume." },
  busy_cpu: { label: "Busy", tone: "warm", kind: "away", sentence: "Other programs need its processor." },
  busy_memory: { label: "Short of memory", tone: "warm", kind: "away", sentence: "Other programs need its memory." },
  no_server: {
    label: "Cannot reach the server",
    tone: "bad",
    kind: "attention",
    sentence: "It lost the connection and tries again by itself.",
  },
  suspended: { label: "Suspended", tone: "warm", kind: "away", sentence: "It holds work and waits, because somebody came back." },
  encoding: { label: "Encoding", tone: "work", kind: "working", sentence: "It is at work." },
  leasing: { label: "Fetching work", tone: "work", kind: "working", sentence: "It is getting work, or handing it over." },
  waiting: { label: "Ready", tone: "done", kind: "ready", sentence: "It is idle and would begin at once." },
  offline: { label: "Off", tone: "rest", kind: "off", sentence: "Switched off, asleep, or without a network: nothing is heard of it." },
};

/** The states, for filters that name one of them exactly. */
export const STATES = Object.keys(WORDS) as State[];

export interface Shown {
  label: string;
  tone: Tone;
  kind: Kind;
  /** Moves right now. */
  moves: boolean;
}

/** What is shown of a machine: what people decided about it counts more than what it is doing. */
export function shown(agent: Pick<Agent, "standing" | "state">): Shown {
  const { label, tone, kind } = WORDS[wordOf(agent)];
  return { label, tone, kind, moves: agent.state === "encoding" && agent.standing !== "revoked" };
}

function wordOf({ standing, state }: Pick<Agent, "standing" | "state">): State {
  switch (standing) {
    case "revoked":
    case "set_aside":
    case "draining":
      return standing;
    case "active":
      return state;
  }
}

/** Why it is so, in a sentence or two. */
export function explain(agent: Agent & Partial<Pick<AgentDetail, "prove_after_seconds">>): string {
  const said = agent.standing_reason == null || agent.standing_reason === "" ? "" : ` ${quote(agent.standing_reason)}`;
  switch (agent.standing) {
    case "revoked":
      return "It was revoked, for good. The machine comes back only by enrolling again.";
    case "draining":
      return `Somebody is draining it: it ends what it holds and gets nothing more until it is resumed.${said}`;
    case "set_aside":
      return setAside(agent, said);
    case "active":
      return agent.state_reason == null || agent.state_reason === "" ? WORDS[agent.state].sentence : sentence(agent.state_reason);
  }
}

/** The same for a line in a list. */
export function brief(agent: Agent): string {
  if (agent.standing === "active") return explain(agent);
  const why = agent.standing_reason ?? "";
  return why === "" ? WORDS[wordOf(agent)].sentence : sentence(why);
}

function setAside(agent: Agent & Partial<Pick<AgentDetail, "prove_after_seconds">>, said: string): string {
  const wait = agent.prove_after_seconds ?? 0;
  const proof = wait > 0 ? `in ${duration(wait)}` : "now";
  switch (agent.set_aside_by ?? "person") {
    case "failures":
      return `It failed tasks of three different jobs in a row. It may prove itself ${proof}, by testing its encoders, and then comes back by itself.${said}`;
    case "distrust":
      return `What it sent was not what it said. Look at its memory, its disk and who uses it; only a person brings it back.${said}`;
    case "person":
      return `Somebody set it aside: it gets nothing until it is resumed.${said}`;
  }
}

function quote(reason: string): string {
  return `“${reason.trim()}”`;
}

/** A reason as engines give it, as a sentence. */
function sentence(reason: string): string {
  const text = reason.trim();
  const begun = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** What happened to a machine, in words. */
export function eventWords(kind: string, data: unknown, groupName: (id: string) => string): string {
  const told = (key: string): string | undefined => {
    const value = typeof data === "object" && data !== null ? (data as Record<string, unknown>)[key] : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const why = told("reason");
  const because = why === undefined ? "" : `: ${why}`;
  switch (kind) {
    case "agent.enrolled":
      return "Joined the farm";
    case "agent.renamed":
      return `Renamed from ${told("from") ?? "?"} to ${told("to") ?? "?"}`;
    case "agent.moved":
      return `Moved from ${groupName(told("from") ?? "")} to ${groupName(told("to") ?? "")}`;
    case "agent.drained":
      return `Drained${because}`;
    case "agent.resumed":
      return "Resumed";
    case "agent.set_aside":
      return `Set aside by a person${because}`;
    case "agent.quarantined":
      return `Set aside by the server${because}`;
    case "agent.proved":
      return "Proved that it can encode";
    case "agent.revoked":
      return "Revoked";
    default:
      return kind;
  }
}

const SYSTEMS: Record<string, string> = { linux: "Linux", macos: "macOS", windows: "Windows" };

export function systemName(os: string): string {
  return SYSTEMS[os] ?? os;
}

const WALLS: Record<Schemas["Wall"], string> = {
  network: "the network",
  files: "files",
  system_calls: "system calls",
  resources: "memory and processes",
};

/** How far ffmpeg is walled off on a machine. */
export function sandboxWords(sandbox: Schemas["SandboxReport"] | null | undefined): { label: string; tone: Tone; about: string } {
  const missing = (sandbox?.missing ?? []).map((wall) => WALLS[wall]).join(", ");
  const reason = sandbox?.reason == null ? "" : ` ${sentence(sandbox.reason)}`;
  switch (sandbox?.state) {
    case "full":
      return { label: "In full", tone: "done", about: "ffmpeg sees no network and no files, and has its limits." };
    case "partial":
      return { label: "In part", tone: "warm", about: `Not walled off from ${missing}.${reason}` };
    case "none":
      return { label: "Not at all", tone: "bad", about: `ffmpeg may do here what the engine may.${reason}` };
    case undefined:
      return { label: "Not known", tone: "rest", about: "It has not said yet." };
  }
}
