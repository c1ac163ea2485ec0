import { expect, test } from "vitest";
import { jobIn } from "./job-in";

const ID = "job_01J8ZC5V2M0N6QW3T7RX9KPEHD";

test.each([
  [ID, ID],
  [`  ${ID}\n`, ID],
  [ID.toLowerCase(), ID],
  [`http://127.0.0.1:7070/watch/${ID}`, ID],
  [`https://farm.test/media/${ID}/multivariant.m3u8`, ID],
  ["", undefined],
  ["job_short", undefined],
  [`${ID}EXTRA`, undefined],
  ["src_01J8ZC5V2M0N6QW3T7RX9KPEHD", undefined],
])("in %j the job is %j", (text, job) => {
  expect(jobIn(text)).toBe(job);
});
