import { expect, test } from "vitest";
import type { JobMap, MapTrack } from "./api/job";
import { cells, machines, runs, summary } from "./map";

const video: MapTrack = {
  kind: "video",
  renditions: ["h264-720p", "h264-360p"],
  segments_total: 9,
  made: [
    { first: 0, last: 2, agent: "agent_1" },
    { first: 4, last: 5, agent: "agent_2" },
  ],
  open: [
    { first: 2, last: 4, failed: false, holders: [{ agent: "agent_1", state: "encoding", silent: false, frames_per_second: 30 }] },
    { first: 5, last: 6, failed: false, holders: [{ agent: "agent_2", state: "suspended", silent: false, frames_per_second: 0 }] },
    { first: 6, last: 7, failed: false, holders: [{ agent: "agent_3", state: "encoding", silent: true, frames_per_second: 0 }] },
    { first: 7, last: 9, failed: false, holders: [] },
  ],
};
const map: JobMap = {
  segment_seconds: 6,
  tracks: [video],
  agents: [
    { id: "agent_1", name: "desk-1" },
    { id: "agent_2", name: "desk-2" },
    { id: "agent_3", name: "desk-3" },
  ],
};

test("each cell says what it is at, and who", () => {
  expect(cells(video).map(({ state, agent }) => `${state} ${agent ?? "-"}`)).toEqual([
    "made agent_1",
    "made agent_1",
    "making agent_1",
    "claimed agent_1",
    "made agent_2",
    "suspended agent_2",
    "silent agent_3",
    "waiting -",
    "waiting -",
  ]);
});

test("beside a machine that fell silent, the one that works counts", () => {
  const holders = [
    { agent: "agent_1", state: "encoding" as const, silent: true, frames_per_second: 0 },
    { agent: "agent_2", state: "encoding" as const, silent: false, frames_per_second: 9 },
  ];
  expect(cells({ ...video, segments_total: 1, made: [], open: [{ first: 0, last: 1, failed: false, holders }] })).toEqual([{ state: "making", agent: "agent_2" }]);
});

test("the sound is made in one go", () => {
  const holders = [{ agent: "agent_1", state: "encoding" as const, silent: false, frames_per_second: 0 }];
  const audio: MapTrack = { kind: "audio", renditions: ["aac-1"], segments_total: 3, made: [], open: [{ first: 0, last: 3, failed: false, holders }] };
  expect(cells(audio).map(({ state }) => state)).toEqual(["making", "making", "making"]);
});

test("neighbours of a kind are one run", () => {
  expect(runs(cells(video)).map(({ first, last, state }) => [first, last, state])).toEqual([
    [0, 2, "made"],
    [2, 3, "making"],
    [3, 4, "claimed"],
    [4, 5, "made"],
    [5, 6, "suspended"],
    [6, 7, "silent"],
    [7, 9, "waiting"],
  ]);
});

test("the map in words, and its machines", () => {
  expect(summary(map)).toBe(
    "Segments: 3 made, 1 being made, 1 next for a machine, 1 with a machine that is in use, 1 with a machine that fell silent, 2 waiting.",
  );
  expect(summary({ tracks: [], agents: [] })).toBe("Nothing is planned yet.");
  expect(machines(map).map(({ name, made, state, now }) => [name, made, state, now])).toEqual([
    ["desk-1", 2, "encoding", "segments 2–3"],
    ["desk-2", 1, "suspended", "segment 5"],
    ["desk-3", 0, "silent", "segment 6"],
  ]);
});
