import { expect, test } from "vitest";
import { answered, hostOf, tries, webhookState } from "./words";

test.each([
  [{ enabled: true }, "Enabled"],
  [{ enabled: true, failing_since: "2026-11-25T12:00:00Z" }, "Failing"],
  [{ enabled: false, failing_since: "2026-11-25T12:00:00Z" }, "Disabled"],
])("%j is %s", (webhook, label) => {
  expect(webhookState(webhook).label).toBe(label);
});

test.each([
  ["https://example.com/offpeak?x=1", "example.com", "/offpeak?x=1"],
  ["http://[fd00::1]:8080/", "[fd00::1]:8080", "/"],
  ["no address", "no address", ""],
])("%s is at %s", (url, host, rest) => {
  expect(hostOf(url)).toEqual({ host, rest });
});

test("tries and answers in words", () => {
  expect([0, 1, 2].map((attempts) => tries({ attempts }))).toEqual(["not tried yet", "1 try", "2 tries"]);
  expect([undefined, null, 410].map(answered)).toEqual(["no answer", "no answer", "answered 410"]);
});
