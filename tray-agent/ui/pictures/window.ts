// The built window in a real browser, with a desk of one's choice behind it.

import { existsSync } from "node:fs";

import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, inject } from "vitest";

import type { Snapshot } from "../src/shell";
import { MOMENT, ZONE, type Desk } from "./desks";
import { fakeShell, type Fake } from "./fake-shell";

const CHROMIUM = process.env.OFFPEAK_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** As the tray app opens it, and the smallest that it may become (`shell/src/window.rs`). */
export const SIZE = { width: 960, height: 700 };
export const LEAST_SIZE = { width: 620, height: 460 };

export interface Look {
  page?: string;
  theme?: "light" | "dark";
  size?: { width: number; height: number };
}

/** A window, and what the shell's side of it sees and does. */
export interface Opened {
  page: Page;
  /** What the page complained about: errors, warnings, what its policy refused. */
  complaints: string[];
  asked: (command: string) => Promise<Fake["asked"]>;
  tell: (event: string, payload: unknown) => Promise<void>;
  snapshot: (snapshot: Snapshot) => Promise<void>;
}

/** Opens windows for the tests of one file. */
export function windows(): (desk: Desk, look?: Look) => Promise<Opened> {
  let browser: Browser;
  beforeAll(async () => {
    if (!existsSync(CHROMIUM)) throw new Error(`there is no ${CHROMIUM}; \`cargo xtask setup --test\` installs Chromium, or set OFFPEAK_CHROMIUM`);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  const opened: BrowserContext[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((context) => context.close()));
  });
  afterAll(() => browser.close());
  return async (desk, { page: name = "status", theme = "light", size = SIZE } = {}) => {
    const context = await browser.newContext({ viewport: size, colorScheme: theme, timezoneId: ZONE, locale: "en-GB", reducedMotion: "reduce" });
    opened.push(context);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      // Browsers ask for a picture of the site, which the tray app's page needs not.
      if (["error", "warning"].includes(message.type()) && !message.location().url.endsWith("/favicon.ico")) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
    await page.clock.setFixedTime(MOMENT);
    await page.addInitScript(fakeShell, desk);
    await page.goto(`${inject("address")}#${name}`);
    await page.locator("main h1").waitFor();
    const tell = (event: string, payload: unknown) =>
      page.evaluate(([event, payload]) => {
        window.fake.tell(event as string, payload);
      }, [event, payload]);
    return {
      page,
      complaints,
      asked: (command) => page.evaluate((command) => window.fake.asked.filter((one) => one.command === command), command),
      tell,
      snapshot: (snapshot) => tell("snapshot", snapshot),
    };
  };
}
