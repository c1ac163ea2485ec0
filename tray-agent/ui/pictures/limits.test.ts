// What somebody sets on the page for limits is what they get, and what they are doing is left to them.

import { expect, it } from "vitest";

import type { Limits } from "../src/shell";
import { DESKS, desk, type Desk } from "./desks";
import { windows, type Opened } from "./window";

const open = windows();
const NONE: Limits = { ...limitsOf(DESKS.waiting), max_cores: null };

function limitsOf({ snapshot: { now } }: Desk): Limits {
  if (now === null) throw new Error("this desk knows of no limits");
  return now.limits;
}

async function sent({ asked }: Opened): Promise<Limits[]> {
  const requests = (await asked("ask")).map(({ values }) => values.request as { type: string; limits: Limits });
  return requests.filter(({ type }) => type === "set_limits").map(({ limits }) => limits);
}

const save = ({ page }: Opened) => page.getByRole("button", { name: "Save" }).click();
const isSaved = ({ page }: Opened) => page.getByText("Saved.", { exact: true }).waitFor();

it("leaves the focus where it is while the engine goes on talking", async () => {
  const window = await open(DESKS.ownHours, { page: "limits" });
  const day = window.page.getByRole("group", { name: "Hours 2" }).getByLabel("Sat");
  await day.focus();
  for (let second = 0; second < 3; second++) await window.snapshot({ ...DESKS.ownHours.snapshot });
  expect(await day.evaluate((box) => box === document.activeElement)).toBe(true);
  // Limits that really are others are shown.
  await window.snapshot(DESKS.waiting.snapshot);
  expect(await window.page.getByRole("group", { name: /^Hours \d/ }).count()).toBe(0);
});

it.each<[string, (hours: Opened) => Promise<unknown>, string]>([
  ["no day", ({ page }) => page.getByLabel("Sat").nth(1).press("Space"), "Choose at least one day"],
  ["an end like the beginning", ({ page }) => page.getByLabel("to").nth(1).fill("0:00"), "These hours end when they begin."],
  ["what is no time", ({ page }) => page.getByLabel("to").nth(1).fill("25:00"), "A time looks like 18:00."],
  ["an end as the beginning", ({ page }) => page.getByLabel("from").nth(1).fill("24:00"), "A day begins at 00:00"],
])("refuses hours with %s, at their row", async (_, spoil, sentence) => {
  const window = await open(DESKS.ownHours, { page: "limits" });
  await spoil(window);
  await save(window);
  await window.page.getByRole("listitem").filter({ hasText: sentence }).getByRole("group", { name: "Hours 2" }).waitFor();
  expect(await window.page.locator(":focus[aria-invalid]").count()).toBe(1);
  expect(await sent(window)).toEqual([]);
});

it("takes times as people write them", async () => {
  const window = await open(DESKS.ownHours, { page: "limits" });
  await window.page.getByLabel("from").first().fill("8");
  await window.page.getByLabel("to").first().fill("930");
  await save(window);
  await isSaved(window);
  expect((await sent(window)).map(({ schedule }) => schedule[0])).toEqual([{ days: ["mon", "tue", "wed", "thu"], from: "08:00", to: "09:30" }]);
});

it("keeps what was saved while the engine still says the old", async () => {
  const window = await open(DESKS.waiting, { page: "limits" });
  const cores = window.page.getByLabel("Processor cores");
  await cores.fill("3");
  await save(window);
  await isSaved(window);
  await window.snapshot({ ...DESKS.waiting.snapshot });
  expect(await cores.inputValue()).toBe("3");
  await window.snapshot(desk({ limits: { ...NONE, max_cores: 2 } }).snapshot);
  expect(await cores.inputValue()).toBe("2");
});

it("asks for no limit at a slider's end", async () => {
  // As much memory as no number of whole steps is.
  const odd = desk({ machine_memory_mib: 15_900, limits: { ...NONE, max_cores: 6 } });
  const window = await open(odd, { page: "limits" });
  await window.page.getByLabel("Processor cores").press("End");
  await save(window);
  await isSaved(window);
  expect(await sent(window)).toEqual([NONE]);
});

it("forgets a cap that the office lifts", async () => {
  const window = await open(DESKS.waiting, { page: "limits" });
  const rate = window.page.getByLabel("Network rate");
  expect(await rate.getAttribute("max")).toBe("200");
  const now = DESKS.waiting.snapshot.now;
  if (now === null) throw new Error("this desk knows of no limits");
  await window.snapshot(desk({ policy: { ...now.policy, max_bits_per_second: null } }).snapshot);
  expect(await rate.getAttribute("max")).toBeNull();
});

it("goes back to the office's limits only where there are others", async () => {
  const window = await open(DESKS.ownHours, { page: "limits" });
  const reset = window.page.getByRole("button", { name: "Use the office's limits" });
  await reset.click();
  await isSaved(window);
  expect(await sent(window)).toEqual([NONE]);
  expect(await reset.getAttribute("aria-disabled")).toBe("true");
  expect(await reset.evaluate((button) => button === document.activeElement)).toBe(true);
});

it("says values, units and numbers to those who do not see them", async () => {
  const { page } = await open(DESKS.ownHours, { page: "limits" });
  expect(await page.getByLabel("Memory").getAttribute("aria-valuetext")).toBe("8 GiB");
  await page.getByLabel("Memory").press("ArrowLeft");
  expect(await page.getByLabel("Memory").getAttribute("aria-valuetext")).toBe("7.8 GiB");
  for (const name of ["Network rate Mbit/s", "Start after nobody has used it for minutes"]) {
    await page.getByRole("spinbutton", { name, exact: true }).waitFor();
  }
  await page.getByRole("button", { name: "Remove hours 1" }).click();
  expect(await page.getByRole("group", { name: /^Hours \d/ }).evaluateAll((groups) => groups.map((group) => group.getAttribute("aria-label")))).toEqual(["Hours 1"]);
});
