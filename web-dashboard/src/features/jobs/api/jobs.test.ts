import type { Job } from "@offpeak/sdk";
import { expect, test } from "vitest";
import { jobsSearch } from "../search";
import { patched } from "./jobs";

const job = (id: string, state: Job["state"] = "queued") => ({ id, state }) as Job;
const list = (...pages: Job[][]) => ({ pages: pages.map((jobs) => ({ jobs, next_cursor: null })), pageParams: pages.map(() => "") });
const ids = (data: ReturnType<typeof patched>) => data.pages.map(({ jobs }) => jobs.map(({ id, state }) => `${id} ${state}`));

test("new jobs come to the head, changed ones change in their place, deleted ones go", () => {
  const before = list([job("job_5"), job("job_4")], [job("job_2"), job("job_1")]);
  const seen = new Map([job("job_7"), job("job_6"), job("job_2", "encoding")].map((one) => [one.id, one]));
  expect(ids(patched(before, seen, new Set(["job_4"])))).toEqual([
    ["job_7 queued", "job_6 queued", "job_5 queued"],
    ["job_2 encoding", "job_1 queued"],
  ]);
});

test("what is older and not loaded yet is left to its page", () => {
  const seen = new Map([["job_3", job("job_3", "encoding")]]);
  const begun = { ...list([job("job_5")]), pages: [{ jobs: [job("job_5")], next_cursor: "more" }] };
  expect(ids(patched(begun, seen, new Set()))).toEqual([["job_5 queued"]]);
});

test("what comes to a list that is filtered takes its place", () => {
  const failed = (id: string) => job(id, "failed");
  const seen = new Map([failed("job_1"), failed("job_3"), failed("job_6")].map((one) => [one.id, one]));
  const before = list([failed("job_7"), failed("job_5")], [failed("job_4"), failed("job_2")]);
  expect(ids(patched(before, seen, new Set()))).toEqual([
    ["job_7 failed", "job_6 failed", "job_5 failed"],
    ["job_4 failed", "job_3 failed", "job_2 failed", "job_1 failed"],
  ]);
  expect(ids(patched(list([]), seen, new Set()))).toEqual([["job_6 failed", "job_3 failed", "job_1 failed"]]);
});

test("an address says what is listed, whoever wrote it", () => {
  expect(jobsSearch({ q: "hands", state: "failed,queued,nonsense", profile: 7 })).toEqual({ q: "hands", state: ["queued", "failed"], profile: "7" });
  expect(jobsSearch({ q: "", state: "nonsense" })).toEqual({});
});
