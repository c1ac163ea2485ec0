// What the shell tells the window, and what the window may ask: the types of `tray-agent/link` and `shell/src/commands.rs`.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

export type Picture = "working" | "waiting" | "in_use" | "paused" | "attention" | "no_server";
export type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

export interface Hours {
  days: Day[];
  from: string;
  to: string;
}

export interface Limits {
  max_cores: number | null;
  max_memory_mib: number | null;
  max_bits_per_second: number | null;
  start_after_idle_seconds: number | null;
  mains_only: boolean;
  unmetered_only: boolean;
  schedule: Hours[];
}

export interface Policy {
  start_after_idle_seconds: number;
  mains_only: boolean;
  unmetered_only: boolean;
  schedule: Hours[];
  max_cores: number | null;
  max_memory_mib: number | null;
  max_bits_per_second: number | null;
}

export interface Work {
  job_id: string;
  kind: string;
  rows_done: number;
  rows: number;
  since: string;
}

export interface Now {
  state: string;
  reason: string;
  code?: string;
  since: string;
  until?: string;
  farm: { server: string; agent_id: string; agent_name: string } | null;
  work: Work[];
  limits: Limits;
  policy: Policy;
  machine_cores: number;
  machine_memory_mib: number;
}

export interface Share {
  video_seconds: number;
  cpu_seconds: number;
  energy_wh: number;
  leases: number;
}

export interface InForce {
  cores: number;
  memory_mib: number;
  bits_per_second: number | null;
  start_after_idle_seconds: number;
  mains_only: boolean;
  unmetered_only: boolean;
}

export type Update =
  | { is: "unknown" | "elsewhere" | "looking" | "newest" | "installing" }
  | { is: "available"; version: string; notes: string }
  | { is: "failed"; why: string }
  | { is: "not_installed"; why: string };

export interface Snapshot {
  engine: { is: "starting" | "ended" } | { is: "running"; version: string } | { is: "down"; seconds: number; why: string };
  now: Now | null;
  contribution: { today: Share; total: Share };
  face: { picture: Picture; headline: string; reason: string };
  in_force: InForce | null;
  settings: { start_at_login: boolean | null; notifications: boolean };
  start_at_login: boolean;
  update: Update;
  offered_link: string | null;
  version: string;
  /** What the computer is called on its network. */
  host_name: string;
}

export interface LogLine {
  at: string;
  level: "error" | "warn" | "info";
  text: string;
}

export interface Why {
  state: string;
  reason: string;
  rule: string;
  readings: { name: string; value: string; how: string }[];
}

export interface FoundServer {
  id: string;
  name: string;
  address: string | null;
}

export type Request =
  | { type: "snooze"; seconds: number }
  | { type: "pause" | "resume" | "leave" | "why" }
  | { type: "set_limits"; limits: Limits }
  | { type: "join"; link_or_code: string; server: string | null; name: string | null };

export type Answer =
  | { outcome: "done" }
  | { outcome: "refused"; code: string; message: string }
  | ({ outcome: "why" } & Why);

/** Asks the engine; a refusal is thrown as an error with its sentence. */
export async function ask(request: Request): Promise<Answer> {
  const answer = await call<Answer>("ask", { request });
  if (answer.outcome === "refused") throw new Error(answer.message);
  return answer;
}

/** Calls the shell; a problem is thrown as an error with its sentence. */
export async function call<T = null>(command: string, values: Record<string, unknown> = {}): Promise<T> {
  try {
    return await invoke<T>(command, values);
  } catch (problem) {
    throw new Error(typeof problem === "string" ? problem : String(problem), { cause: problem });
  }
}

interface Events {
  snapshot: Snapshot;
  log: LogLine;
  /** The tray wants this page. */
  page: string;
  server: FoundServer;
}

export function on<K extends keyof Events>(event: K, hear: (payload: Events[K]) => void): void {
  void listen<Events[K]>(event, ({ payload }) => {
    hear(payload);
  });
}
