// Desks to look at: what the shell would tell the window of each, in the shell's own types.

import type { Answer, FoundServer, LogLine, Now, Request, Snapshot, Why } from "../src/shell";

/** The moment that all of them show; in Berlin it is a quarter to four in the afternoon, a Wednesday. */
export const MOMENT = "2026-11-25T14:46:00Z";
export const ZONE = "Europe/Berlin";

export interface Desk {
  snapshot: Snapshot;
  /** What the engine says to a request instead of "done". */
  answers: Partial<Record<Request["type"], Answer>>;
  log: LogLine[];
  /** Those on this network. */
  servers: FoundServer[];
}

const NOW: Now = {
  state: "waiting",
  reason: "the farm has no work at the moment",
  since: "2026-11-25T14:23:00Z",
  farm: { server: "https://farm.office.lan:7070/", agent_id: "agent_01JDJ3X9Q2T8M4V6N0B7C5K1RZ", agent_name: "edit-suite-14" },
  work: [],
  limits: {
    max_cores: 6,
    max_memory_mib: null,
    max_bits_per_second: null,
    start_after_idle_seconds: null,
    mains_only: false,
    unmetered_only: false,
    schedule: [],
  },
  policy: {
    start_after_idle_seconds: 300,
    mains_only: true,
    unmetered_only: false,
    schedule: [
      { days: ["mon", "tue", "wed", "thu", "fri"], from: "18:00", to: "08:00" },
      { days: ["sat", "sun"], from: "00:00", to: "24:00" },
    ],
    max_cores: 10,
    max_memory_mib: 16_384,
    max_bits_per_second: 200_000_000,
  },
  machine_cores: 12,
  machine_memory_mib: 32_768,
};

const WORK: Now["work"] = [
  { job_id: "job_01JDJ3X9Q2T8M4V6N0B7C5K1RZ", kind: "encode", rows_done: 9, rows: 15, since: "2026-11-25T14:42:00Z" },
  { job_id: "job_01JDJ41M0A9W2E5H7G3F8S6TYB", kind: "audio", rows_done: 31, rows: 120, since: "2026-11-25T14:44:00Z" },
];

const SNAPSHOT: Snapshot = {
  engine: { is: "running", version: "0.1.0" },
  now: NOW,
  contribution: {
    today: { video_seconds: 2532, cpu_seconds: 9640, energy_wh: 21.4, leases: 38 },
    total: { video_seconds: 418_600, cpu_seconds: 1_702_000, energy_wh: 3782, leases: 6214 },
  },
  face: { picture: "waiting", headline: "Waiting", reason: NOW.reason },
  in_force: null,
  settings: { start_at_login: true, notifications: true },
  start_at_login: true,
  update: { is: "newest" },
  offered_link: null,
  version: "0.1.0",
  host_name: "edit-suite-14",
};

const WHY: Why = {
  state: "user_active",
  reason: "someone is using this computer",
  rule: "work begins after 5 min without input; the last input was 12 s ago",
  readings: [
    { name: "time since last input", value: "12 s", how: "X11 screen saver extension on :0" },
    { name: "screen", value: "not locked", how: "logind over D-Bus" },
    { name: "full screen or call", value: "no", how: "X11 window properties" },
    { name: "power", value: "mains", how: "/sys/class/power_supply" },
    { name: "other programs' CPU", value: "7 %", how: "/proc/stat" },
    { name: "free memory", value: "19.2 GiB", how: "/proc/meminfo" },
    { name: "network", value: "unmetered", how: "NetworkManager over D-Bus" },
    { name: "temperature", value: "unknown", how: "no thermal zone tells" },
    { name: "schedule", value: "open until 08:00", how: "the office's policy" },
  ],
};

const LOG: LogLine[] = [
  { at: "2026-11-24T17:00:02Z", level: "info", text: "engine 0.1.0 starts; ffmpeg 9.0.2, 12 cores, 32 GiB" },
  { at: "2026-11-24T17:00:09Z", level: "info", text: "every encoder was tried: x264 and svt-av1 work" },
  { at: "2026-11-25T14:23:00Z", level: "info", text: "leased task_01JDJ3ZK4 (encode, segments 45 to 60) of job_01JDJ3X9Q2T8M4V6N0B7C5K1RZ" },
  { at: "2026-11-25T14:31:41Z", level: "warn", text: "a heartbeat took 6.2 s; the server or the network is slow" },
  { at: "2026-11-25T14:33:17Z", level: "info", text: "committed segments 45 to 48 in 4 renditions" },
  { at: "2026-11-25T14:38:05Z", level: "error", text: "segment 49 was not accepted: the server answers 503; it is sent once more in 4 s" },
  { at: "2026-11-25T14:40:30Z", level: "info", text: "someone is using this computer: ffmpeg stands still" },
  { at: "2026-11-25T14:42:00Z", level: "info", text: "nobody is using this computer: ffmpeg goes on" },
];

/** A desk like the usual one, but for what is named. */
export function desk(now: Partial<Now> | null = {}, snapshot: Partial<Snapshot> = {}, more: Partial<Desk> = {}): Desk {
  const said = now === null ? null : { ...NOW, ...now };
  const face = { ...SNAPSHOT.face, reason: said?.reason ?? "" };
  return {
    snapshot: { ...SNAPSHOT, now: said, face, ...snapshot },
    answers: { why: { outcome: "why", ...WHY } },
    log: LOG,
    servers: [],
    ...more,
  };
}

const face = (picture: Snapshot["face"]["picture"], headline: string, reason: string) => ({ face: { picture, headline, reason } });

export const ENCODING = desk({ state: "encoding", reason: "nobody is using this computer", work: WORK }, face("working", "Encoding", "nobody is using this computer"));

/** The engine looks at the desk, farm or not. */
const FARMLESS = { state: "user_active", reason: "someone is using this computer", until: "2026-11-25T14:51:00Z", farm: null };
const notJoined = (more: Partial<Desk> = {}, snapshot: Partial<Snapshot> = {}) =>
  desk(FARMLESS, { ...face("no_server", "Not part of a farm yet", ""), ...snapshot }, more);
const ON_THIS_NETWORK = { servers: [{ id: "a", name: "Offpeak in the basement", address: "http://192.168.1.20:7070" }] };
const LINK = "offpeak://farm.example.com/ofe_9WQ2T8M4V6N0B7C5K1RZ";

/** By the name of their picture. */
export const DESKS = {
  waiting: desk(),
  encoding: ENCODING,
  inUse: desk({ state: "user_active", reason: "someone is using this computer" }, face("in_use", "Waiting", "someone is using this computer")),
  offSchedule: desk(
    { state: "off_schedule", reason: "your office's hours for this are 18:00 to 08:00", until: "2026-11-25T17:00:00Z" },
    face("waiting", "Waiting", "your office's hours for this are 18:00 to 08:00"),
  ),
  paused: desk({ state: "paused", reason: "you paused it" }, face("paused", "Paused", "")),
  snoozed: desk({ state: "snoozed", reason: "you asked for some quiet", until: "2026-11-25T15:23:00Z" }, face("paused", "Snoozed until 16:23", "")),
  noServer: desk(
    { state: "no_server", reason: "the farm's server does not answer; finished segments are kept and sent when it does" },
    face("no_server", "No connection", "the farm's server does not answer; finished segments are kept and sent when it does"),
  ),
  broken: desk(
    { state: "broken", code: "ffmpeg_altered", reason: "the bundled ffmpeg is not the one that was installed; install Offpeak again" },
    {
      ...face("attention", "Needs attention", "the bundled ffmpeg is not the one that was installed; install Offpeak again"),
      settings: { start_at_login: null, notifications: true },
      start_at_login: false,
    },
  ),
  engineDown: desk(
    {},
    { engine: { is: "down", seconds: 15, why: "it ended with code 3" }, ...face("attention", "The engine has stopped", "it ended with code 3; it is started again in 15 s") },
  ),
  starting: desk(null, { engine: { is: "starting" }, ...face("waiting", "Starting", "") }),
  notJoined: notJoined(),
  pausedNotJoined: desk({ state: "paused", reason: "you paused it", farm: null }, face("paused", "Paused", "")),
  askedAboutLogin: { ...ENCODING, snapshot: { ...ENCODING.snapshot, settings: { start_at_login: null, notifications: true }, start_at_login: false } },
  joining: notJoined(),
  joiningFound: notJoined(ON_THIS_NETWORK),
  joiningRefused: notJoined({
    answers: { join: { outcome: "refused", code: "bad_enrol_code", message: "This is neither an enrolment link nor a code. Ask whoever runs the farm for a new one." } },
  }),
  joiningOffered: notJoined(ON_THIS_NETWORK, { offered_link: LINK }),
  updateFound: desk({}, { update: { is: "available", version: "0.2.0", notes: "Yields faster on laptops, and encodes AV1 on more of them." } }),
  ownHours: desk({
    limits: {
      ...NOW.limits,
      max_memory_mib: 8192,
      max_bits_per_second: 50_000_000,
      schedule: [
        { days: ["mon", "tue", "wed", "thu"], from: "19:00", to: "07:00" },
        { days: ["sat"], from: "00:00", to: "24:00" },
      ],
    },
  }),
} satisfies Record<string, Desk>;
