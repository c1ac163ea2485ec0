import { expect, test } from "vitest";
import { signature, whyNot } from "./stream";

test.each([
  [404, "not_playable_yet", "waiting"],
  [404, "job_not_found", "missing"],
  [404, "", "missing"],
  [410, "", "missing"],
  [410, "job_failed", "failed"],
  [404, "job_cancelled", "failed"],
  [403, "expired_address", "refused"],
  [403, "signature_needed", "refused"],
  [500, "internal", "unreachable"],
  [503, "", "unreachable"],
])("status %d with code '%s' shows as %s", (status, code, kind) => {
  expect(whyNot(status, { code, detail: "why" }).kind).toBe(kind);
});

test.each([
  ["", ""],
  ["?expires=17", ""],
  ["?x=1&signature=ab&expires=17", "?expires=17&signature=ab"],
])("of the page's query '%s' its media get '%s'", (query, expected) => {
  expect(signature(query)).toBe(expected);
});
