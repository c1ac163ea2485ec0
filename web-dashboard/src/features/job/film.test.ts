import { expect, test } from "vitest";
import { frameRate, stages } from "./film";

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const event = (kind: string, seconds: number) => ({ sequence: seconds, kind, at: at(seconds), job: "job_1", data: {} });

test("stages follow each other, and the last one goes on", () => {
  const job = { created_at: at(0), started_at: at(10), ended_at: null, state: "encoding" as const };
  expect(stages(job, [event("job.planned", 15)], 45_000)).toEqual([
    { name: "Waiting", seconds: 10, running: false },
    { name: "Reading", seconds: 5, running: false },
    { name: "Encoding", seconds: 30, running: true },
  ]);
  const done = { ...job, ended_at: at(60), state: "completed" as const };
  expect(stages(done, [event("job.planned", 15), event("job.encoded", 50)], 0).at(-1)).toEqual({ name: "Files", seconds: 10, running: false });
});

test.each([
  [{ usual_seconds: 1001 / 30_000, p90_rate: 30, share_usual: 1 }, "29.97 fps"],
  [{ usual_seconds: 0.04, p90_rate: 25, share_usual: 0.5 }, "25 fps, variable"],
])("%j is %s", (gaps, text) => {
  expect(frameRate(gaps)).toBe(text);
});
