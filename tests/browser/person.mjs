// What scripts share that use the dashboard as a person does: a browser, steps with a line each, and what was wrong.
import { join } from "node:path";
import { chromium } from "playwright-core";
import { watchConsole } from "./dashboard-checks.mjs";
import { FLAGS } from "./flags.mjs";

/** No page takes longer than this for anything that is not encoding. */
export const SOON = { timeout: 30_000 };
export const ADA = { email: "ada@example.com", name: "Ada Lovelace", password: "the analytical engine" };
const CHROMIUM = process.env.OFFPEAK_CHROMIUM ?? "/usr/bin/chromium";

export const faults = [];

export const say = (what) => console.log(JSON.stringify(what));

export async function step(name, does) {
  const since = Date.now();
  try {
    await does();
    say({ step: name, seconds: (Date.now() - since) / 1000 });
  } catch (error) {
    faults.push(`${name}: ${error.stack ?? error}`);
    throw error;
  }
}

export function expectEqual(what, is, expected) {
  if (is !== expected) throw new Error(`${what} is ${JSON.stringify(is)}, expected ${JSON.stringify(expected)}`);
}

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/** The first administrator comes in by the link of the server's terminal. */
export async function comeIn(page, setupLink) {
  await page.goto(setupLink);
  await page.getByLabel("Email").fill(ADA.email);
  await page.getByLabel("Name").fill(ADA.name);
  await page.getByLabel("Password").fill(ADA.password);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor(SOON);
}

/** Does what a person does, and ends with exit code 1 and a line for everything that was wrong. A picture is left in `folder`. */
export async function atWork(folder, does) {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
  watchConsole(page, faults);
  try {
    await does(page);
  } catch (error) {
    if (faults.length === 0) faults.push(String(error.stack ?? error));
    await page.screenshot({ path: process.env.OFFPEAK_TEST_SHOT ?? join(folder, "dashboard.png") }).catch(() => undefined);
    faults.push(`the page was ${page.url()} and said: ${(await page.locator("main").innerText().catch(() => "")).slice(0, 1500)}`);
  } finally {
    await browser.close();
  }
  for (const fault of faults) say({ fault });
  process.exit(faults.length > 0 ? 1 : 0);
}
