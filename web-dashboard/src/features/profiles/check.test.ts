import { expect, test } from "vitest";
import { check, type Field, parseProfile, toSend, whole, type Whole } from "./check";

const good: Whole = whole({
  name: "phone-app",
  video: {
    ladder: [
      { height: 720, max_kbps: 2800 },
      { height: 360, max_kbps: 800 },
    ],
  },
});

test("what is left out has the server's defaults", () => {
  expect(good).toMatchObject({ segment_seconds: 6, span_seconds: 60, access: "public", video: { preset: "medium", quality: { crf: 23 } } });
  expect(check(good)).toEqual({});
});

const with_ = (change: Partial<Whole>): Whole => ({ ...good, ...change });
const ladder = (...rungs: [number, number][]) =>
  with_({ video: { ...good.video, ladder: rungs.map(([height, max_kbps]) => ({ height, max_kbps })) } });

test.each<[Whole, Field]>([
  [with_({ name: "My Profile" }), "name"],
  [with_({ name: "" }), "name"],
  [with_({ description: "ä".repeat(251) }), "description"],
  [with_({ segment_seconds: 0 }), "segment_seconds"],
  [with_({ segment_seconds: Number.NaN, span_seconds: 60 }), "segment_seconds"],
  [with_({ span_seconds: 3601 }), "span_seconds"],
  [with_({ max_frame_rate: 500 }), "max_frame_rate"],
  [ladder(), "video.ladder"],
  [ladder([720, 1], [720, 2]), "video.ladder"],
  [ladder([721, 2800]), "video.ladder[].height"],
  [ladder([720, 10]), "video.ladder[].max_kbps"],
  [with_({ video: { ...good.video, quality: { mode: "capped_crf", crf: 0 } } }), "video.quality.crf"],
  [with_({ audio: { bitrate_kbps: 8, channels: 2 } }), "audio.bitrate_kbps"],
  [with_({ files: [{ name: "../x", container: "mp4" }] }), "files[].name"],
])("case %#: %s", (profile, field) => {
  expect(Object.keys(check(profile))).toContain(field);
});

test("the highest rung is sent first", () => {
  expect(toSend(ladder([360, 800], [1080, 5000])).video.ladder.map(({ height }) => height)).toEqual([1080, 360]);
});

test.each([
  ["{", "This is no JSON"],
  ["[]", "A profile is a JSON object."],
  ["{}", "`name`"],
  ['{"name":"a","video":{}}', "`ladder`"],
  ['{"name":"a","video":{"ladder":[{"height":"720"}]}}', "`height`"],
])("%s is told what it lacks", (text, said) => {
  expect(parseProfile(text)).toEqual({ error: expect.stringContaining(said) as string });
});

test("text that is a profile reads as one", () => {
  expect(parseProfile(JSON.stringify(good))).toEqual({ profile: good });
});
