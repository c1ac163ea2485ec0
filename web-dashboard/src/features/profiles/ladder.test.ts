import { expect, test } from "vitest";
import { leftOut, planLadder, renditionOfFile, type SourceSize } from "./ladder";

const LADDER = [
  { height: 1080, max_kbps: 5000 },
  { height: 720, max_kbps: 2800 },
  { height: 480, max_kbps: 1400 },
  { height: 360, max_kbps: 800 },
];
const FULL = "1080p=1920x1080@5000 720p=1280x720@2800 480p=854x480@1400 360p=640x360@800";
const UPRIGHT = "1080p=1080x1920@5000 720p=720x1280@2800 480p=480x854@1400 360p=360x640@800";

function inWords(source: SourceSize, ladder = LADDER): string | undefined {
  return planLadder(source, ladder)
    ?.map(({ id, width, height, maxKbps }) => `${id.replace("h264-", "")}=${width}x${height}@${maxKbps}`)
    .join(" ");
}

// The same table as the server's (server/src/plan/tests.rs): the two must not disagree.
test.each<[string, SourceSize, string]>([
  ["full HD", { width: 1920, height: 1080 }, FULL],
  ["4K", { width: 3840, height: 2160 }, FULL],
  ["upright phone film, coded upright", { width: 1080, height: 1920 }, UPRIGHT],
  ["upright phone film, turned", { width: 1920, height: 1080, rotation: 90 }, UPRIGHT],
  ["upside down", { width: 1920, height: 1080, rotation: 180 }, FULL],
  ["4:3 PAL DVD", { width: 720, height: 576, sampleAspect: 16 / 15 }, "576p=768x576@1893 480p=640x480@1400 360p=480x360@800"],
  ["16:9 PAL DVD", { width: 720, height: 576, sampleAspect: 64 / 45 }, "576p=1024x576@1893 480p=854x480@1400 360p=640x360@800"],
  ["4:3 NTSC DVD: narrow pixels", { width: 720, height: 480, sampleAspect: 8 / 9 }, "480p=640x480@1400 360p=480x360@800"],
  ["anamorphic and turned", { width: 1440, height: 1080, sampleAspect: 4 / 3, rotation: 270 }, UPRIGHT],
  ["absurd pixel shape", { width: 1920, height: 1080, sampleAspect: 1000 }, FULL],
  ["854x480", { width: 854, height: 480 }, "480p=854x480@1400 360p=640x360@800"],
  ["2.35:1", { width: 640, height: 272 }, "272p=640x272@525"],
  ["tiny", { width: 64, height: 36 }, "36p=64x36@100"],
  ["one pixel", { width: 1, height: 1 }, "2p=2x2@100"],
  ["odd size", { width: 853, height: 479 }, "478p=852x478@1400 360p=642x360@800"],
  ["a little below a rung", { width: 1920, height: 1038 }, "1038p=1920x1038@5000 720p=1332x720@2800 480p=888x480@1400 360p=666x360@800"],
  ["a little above a rung", { width: 1312, height: 738 }, "720p=1280x720@2800 480p=854x480@1400 360p=640x360@800"],
  ["cinema between rungs", { width: 1920, height: 800 }, "800p=1920x800@3213 720p=1728x720@2800 480p=1152x480@1400 360p=864x360@800"],
])("%s", (_, source, expected) => {
  expect(inWords(source)).toBe(expected);
});

test("the order of the ladder does not matter, and a rung counts once", () => {
  const shuffled = [...LADDER.toReversed(), { height: 720, max_kbps: 9999 }];
  expect(inWords({ width: 1280, height: 720 }, shuffled)).toBe("720p=1280x720@2800 480p=854x480@1400 360p=640x360@800");
});

test.each([
  { width: 0, height: 1080 },
  { width: 20_000, height: 100 },
  { width: 16_000, height: 16_000 },
  { width: Number.NaN, height: 1 },
])("%o cannot be encoded", (source) => {
  expect(planLadder(source, LADDER)).toBeUndefined();
});

test("files take the rung that they ask for, or the next lower one", () => {
  const made = planLadder({ width: 1280, height: 720 }, LADDER) ?? [];
  for (const [height, id] of [
    [undefined, "h264-720p"],
    [1080, "h264-720p"],
    [480, "h264-480p"],
    [400, "h264-360p"],
    [100, "h264-360p"],
  ] as const) {
    expect(renditionOfFile(height, made)?.id).toBe(id);
  }
  expect(renditionOfFile(undefined, [])).toBeUndefined();
});

test("what is left out is named", () => {
  expect(leftOut({ width: 1280, height: 720 }, LADDER)).toEqual([1080]);
  expect(leftOut({ width: 1920, height: 1038 }, LADDER)).toEqual([]);
  expect(leftOut({ width: 640, height: 272 }, LADDER)).toEqual([1080, 720, 480, 360]);
});
