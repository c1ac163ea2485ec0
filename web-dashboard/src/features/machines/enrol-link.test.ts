import { expect, test } from "vitest";
import { enrolLink, platformOf, stepsFor } from "./enrol-link";

test.each([
  ["https://farm.office.lan", "offpeak://farm.office.lan/ofe_x"],
  ["https://farm.office.lan:7070", "offpeak://farm.office.lan:7070/ofe_x"],
  ["http://127.0.0.1:7070", "offpeak+http://127.0.0.1:7070/ofe_x"],
  ["https://[fd00::1]:7070", "offpeak://[fd00::1]:7070/ofe_x"],
])("machines that reach the farm at %s are given %s", (origin, link) => {
  expect(enrolLink({ code: "ofe_x" }, origin)).toBe(link);
});

test.each([
  ["its public address", "offpeak://farm.example.com/ofe_x?fp=abc", "https://10.0.0.7", "offpeak://farm.example.com/ofe_x?fp=abc"],
  ["itself, on the same machine", "offpeak+http://127.0.0.1:7070/ofe_x", "http://localhost:7070", "offpeak+http://127.0.0.1:7070/ofe_x"],
  ["itself, to others", "offpeak://localhost:7070/ofe_x?fp=abc", "https://farm.office.lan:7070", "offpeak://farm.office.lan:7070/ofe_x?fp=abc"],
])("a server that tells %s", (_, link, origin, expected) => {
  expect(enrolLink({ code: "ofe_x", link }, origin)).toBe(expected);
});

test("every platform is told the link once", () => {
  for (const platform of ["linux", "windows", "macos", "headless"] as const) {
    expect(stepsFor(platform, "offpeak://a/ofe_x").filter(({ command }) => command?.includes("offpeak://a/ofe_x"))).toHaveLength(1);
  }
});

test.each([
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "macos"],
  ["Mozilla/5.0 (X11; Linux x86_64)", "linux"],
])("%s is %s", (agent, platform) => {
  expect(platformOf(agent)).toBe(platform);
});
