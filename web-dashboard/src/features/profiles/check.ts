import type { Schemas } from "../../lib/api";
import type { Profile } from "./api/profiles";

/** A profile with nothing left out, as the form edits it. */
export type Whole = Required<Profile>;

/** What the server takes for what is absent. */
export const DEFAULTS: Omit<Whole, "name" | "video"> & { video: Required<Schemas["VideoProfile"]> } = {
  description: "",
  segment_seconds: 6,
  span_seconds: 60,
  max_frame_rate: 60,
  video: { ladder: [], preset: "medium", quality: { mode: "capped_crf", crf: 23 } },
  audio: { bitrate_kbps: 128, channels: 2 },
  files: [],
  access: "public",
};

export function whole(profile: Profile): Whole {
  return { ...DEFAULTS, ...profile, video: { ...DEFAULTS.video, ...profile.video } };
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const FILE_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const MOST_RUNGS = 12;
const MOST_FILES = 4;

/** Fields by the names that the server uses when it refuses one. */
export const FIELDS = [
  "name",
  "description",
  "segment_seconds",
  "span_seconds",
  "max_frame_rate",
  "video.ladder",
  "video.ladder[].height",
  "video.ladder[].max_kbps",
  "video.quality.crf",
  "audio.bitrate_kbps",
  "audio.channels",
  "files",
  "files[].name",
] as const;
export type Field = (typeof FIELDS)[number];

/** The server's rules (server/src/profile), told before anything is sent. */
export function check(profile: Whole): Partial<Record<Field, string>> {
  const within = (value: number, least: number, most: number) => value >= least && value <= most;
  const { video, audio, files } = profile;
  const heights = video.ladder.map(({ height }) => height);
  const rules: [Field, boolean, string][] = [
    ["name", NAME.test(profile.name), "1 to 63 lower-case letters, digits and hyphens, with a letter or digit first"],
    ["description", new TextEncoder().encode(profile.description).length <= 500, "at most 500 bytes"],
    ["segment_seconds", within(profile.segment_seconds, 1, 30), "1 to 30 seconds"],
    [
      "span_seconds",
      profile.span_seconds >= profile.segment_seconds && profile.span_seconds <= 3600,
      "at least a segment, and at most an hour",
    ],
    ["max_frame_rate", within(profile.max_frame_rate, 1, 240), "1 to 240"],
    ["video.ladder", within(video.ladder.length, 1, MOST_RUNGS), `1 to ${MOST_RUNGS} rungs`],
    ["video.ladder", new Set(heights).size === heights.length, "Each height is there once."],
    ["video.ladder[].height", heights.every((height) => within(height, 64, 4320) && height % 2 === 0), "Heights are even, 64 to 4320."],
    ["video.ladder[].max_kbps", video.ladder.every(({ max_kbps: kbps }) => within(kbps, 50, 400_000)), "Caps are 50 to 400,000 kbit/s."],
    ["video.quality.crf", video.quality?.mode !== "capped_crf" || within(video.quality.crf, 1, 51), "1 to 51"],
    ["audio.bitrate_kbps", within(audio.bitrate_kbps, 32, 512), "32 to 512"],
    ["audio.channels", within(audio.channels, 1, 2), "1 or 2"],
    ["files", files.length <= MOST_FILES, `at most ${MOST_FILES} files`],
    [
      "files[].name",
      files.every(({ name }) => FILE_NAME.test(name)),
      "Names are lower-case letters, digits, dots, hyphens and underscores.",
    ],
    ["files[].name", new Set(files.map(({ name }) => name)).size === files.length, "Each name is there once."],
  ];
  return Object.fromEntries(rules.filter(([, holds]) => !holds).map(([field, , message]) => [field, message]));
}

/** As the server wants it: the highest rung first. */
export function toSend(profile: Whole): Whole {
  return { ...profile, video: { ...profile.video, ladder: profile.video.ladder.toSorted((a, b) => b.height - a.height) } };
}

/** Reads what somebody wrote as text: a profile, or what is wrong with it. */
export function parseProfile(text: string): { profile: Whole } | { error: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: `This is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const isObject = (one: unknown): one is Record<string, unknown> => typeof one === "object" && one !== null && !Array.isArray(one);
  if (!isObject(value)) return { error: "A profile is a JSON object." };
  if (typeof value.name !== "string") return { error: "A profile has a `name`." };
  if (!isObject(value.video) || !Array.isArray(value.video.ladder)) return { error: "A profile has `video` with a `ladder`." };
  const isRung = (rung: unknown) => isObject(rung) && typeof rung.height === "number" && typeof rung.max_kbps === "number";
  if (!value.video.ladder.every(isRung)) return { error: "Each rung of the ladder has a `height` and `max_kbps`, both numbers." };
  // What else may be wrong with it the server says.
  return { profile: whole(value as Profile) };
}
