import type { JobEvent } from "@offpeak/sdk";
import { expect, test } from "vitest";
import { insert } from "./api/events";
import { tell } from "./tell";

let sequence = 0;
const event = (kind: string, data: unknown = {}): JobEvent => ({ sequence: ++sequence, kind, at: "2026-11-25T12:00:00Z", job: "job_1", data });
const names = new Map([
  ["agent_1", "desk-1"],
  ["agent_2", "desk-2"],
]);
const text = (events: JobEvent[]) => tell(events, names).map(({ text }) => text);

test("what machines deliver one after the other is one line", () => {
  const commit = (agent: string, first: number, last: number) => event("segments.committed", { agent, kind: "encode", first, last, bytes: 1_000_000 });
  const told = tell([commit("agent_1", 0, 1), commit("agent_1", 1, 3), commit("agent_2", 3, 4), commit("agent_1", 4, 5)], names);
  expect(told.map(({ text, detail }) => `${text}, ${detail ?? ""}`)).toEqual([
    "desk-1 delivered segments 0–2, 2.0 MB",
    "desk-2 delivered segment 3, 1.0 MB",
    "desk-1 delivered segment 4, 1.0 MB",
  ]);
});

test("a machine that fell silent is named when another takes over", () => {
  const granted = (lease: string, agent: string, taken_over: string | null) =>
    event("lease.granted", { lease, agent, kind: "encode", first: 0, cursor: 2, last: 5, taken_over });
  expect(text([granted("lease_1", "agent_1", null), granted("lease_2", "agent_2", "lease_1")])).toEqual([
    "desk-1 took segments 2–4",
    "desk-2 took segments 2–4 over from desk-1",
  ]);
});

test("reasons are given in words", () => {
  const ended = (how: string, why: unknown) => event("lease.ended", { agent: "agent_1", kind: "encode", first: 0, cursor: 2, last: 5, how, why });
  expect(tell([ended("released", "user_returned"), ended("failed", { code: "ffmpeg_crashed", message: "ffmpeg exited with 1." })], names)).toMatchObject([
    { text: "desk-1 handed segments 2–4 back", detail: "Somebody is at the machine again.", important: false },
    { text: "desk-1 failed at segments 2–4", detail: "ffmpeg exited with 1.", tone: "bad", important: true },
  ]);
});

test("what is unknown is told all the same", () => {
  expect(text([event("job.polished"), event("lease.granted", null)])).toEqual(["job.polished", "A machine took some work"]);
});

test("events are kept in order, and each once", () => {
  const [a, b, c] = [event("a"), event("b"), event("c")];
  let kept: JobEvent[] = [];
  for (const one of [a, c, b, c, a]) kept = insert(kept, one);
  expect(kept.map(({ kind }) => kind)).toEqual(["a", "b", "c"]);
});
