import { expect, test } from "vitest";
import { whyNot } from "./stream";

test.each([
  [404, "not_playable_yet", "waiting"],
  [404, "job_not_found", "missing"],
  [404, "", "missing"],
  [410, "", "missing"],
  [410, "job_failed", "failed"],
  [404, "job_cancelled", "failed"],
  [500, "internal", "unreachable"],
  [503, "", "unreachable"],
])("status %d with code '%s' shows as %s", (status, code, kind) => {
  expect(whyNot(status, { code, detail: "why" }).kind).toBe(kind);
});
