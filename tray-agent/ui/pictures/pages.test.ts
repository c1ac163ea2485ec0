// Every page in every state, light and dark: nothing wrong that axe-core can find, nothing that scrolls sideways, no complaints.
// `npm run pictures` keeps a picture of each in `.offpeak/pictures`, at the top of the checkout.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import { DESKS, type Desk } from "./desks";
import { LEAST_SIZE, SIZE, windows, type Look } from "./window";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAKEN = import.meta.env.MODE === "pictures" ? join(import.meta.dirname, "../../../.offpeak/pictures") : null;

interface View {
  desk: Desk;
  page?: string;
  size?: Look["size"];
  /** What a person does before the picture. */
  does?: (page: Page) => Promise<void>;
}

const toTheEnd = (page: Page) =>
  page.locator("main").evaluate((main) => {
    main.scrollTop = main.scrollHeight;
  });

const VIEWS: Record<string, View> = {
  waiting: { desk: DESKS.waiting },
  status: { desk: DESKS.encoding },
  "in-use": { desk: DESKS.inUse },
  "off-schedule": { desk: DESKS.offSchedule },
  paused: { desk: DESKS.paused },
  snoozed: { desk: DESKS.snoozed },
  "no-server": { desk: DESKS.noServer },
  broken: { desk: DESKS.broken },
  "engine-down": { desk: DESKS.engineDown },
  starting: { desk: DESKS.starting },
  "not-joined": { desk: DESKS.notJoined },
  "paused-not-joined": { desk: DESKS.pausedNotJoined },
  "asked-about-login": { desk: DESKS.askedAboutLogin },
  "update-found": { desk: DESKS.updateFound },
  join: { desk: DESKS.joining, page: "join" },
  "join-found": { desk: DESKS.joiningFound, page: "join", does: (page) => page.getByText("Offpeak in the basement", { exact: true }).waitFor() },
  "join-refused": {
    desk: DESKS.joiningRefused,
    page: "join",
    does: async (page) => {
      await page.getByLabel("Link or code").fill("offpeak");
      await page.getByRole("button", { name: "Join" }).click();
      await page.getByText("This is neither").waitFor();
    },
  },
  "join-offered": { desk: DESKS.joiningOffered, page: "join" },
  limits: { desk: DESKS.waiting, page: "limits" },
  "limits-hours": { desk: DESKS.ownHours, page: "limits", does: toTheEnd },
  "limits-refused": {
    desk: DESKS.ownHours,
    page: "limits",
    does: async (page) => {
      await page.getByRole("group", { name: "Hours 2" }).getByLabel("Sat").press("Space");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Choose at least one day").waitFor();
      await toTheEnd(page);
    },
  },
  "limits-not-now": { desk: DESKS.starting, page: "limits" },
  why: { desk: DESKS.inUse, page: "why", does: (page) => page.getByText("12 s", { exact: true }).waitFor() },
  log: { desk: DESKS.encoding, page: "log", does: (page) => page.getByText("ffmpeg goes on").waitFor() },
  settings: { desk: DESKS.encoding, page: "settings" },
  "settings-update": { desk: DESKS.updateFound, page: "settings" },
  "settings-leave": { desk: DESKS.encoding, page: "settings", does: (page) => page.getByRole("button", { name: "Leave the farm" }).click() },
  about: { desk: DESKS.encoding, page: "about" },
  "narrow-status": { desk: DESKS.encoding, size: LEAST_SIZE },
  "narrow-limits": { desk: DESKS.ownHours, page: "limits", size: LEAST_SIZE, does: toTheEnd },
  "narrow-log": { desk: DESKS.encoding, page: "log", size: LEAST_SIZE, does: (page) => page.getByText("ffmpeg goes on").waitFor() },
  "narrow-settings": { desk: DESKS.encoding, page: "settings", size: LEAST_SIZE },
};

const open = windows();

/** A sentence for each thing that axe-core finds wrong. By the debugger, since the page's policy lets no foreign script in. */
async function axeFaults(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: AXE });
  const expression = `axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, help, nodes }) => id + ": " + help + ": " + nodes.map(({ html }) => html.slice(0, 200)).join(" … ")))`;
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (!Array.isArray(result.value)) throw new Error(`axe did not run: ${result.description ?? ""}`);
  return result.value as string[];
}

it.each(Object.entries(VIEWS))("%s", async (name, { desk, page: at = "status", size = SIZE, does }) => {
  const { page, complaints } = await open(desk, { page: at, size });
  await does?.(page);
  const found: string[] = [];
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    found.push(...(await axeFaults(page)).map((fault) => `${theme}: ${fault}`));
    if (TAKEN !== null) await page.screenshot({ path: join(TAKEN, `${name}-${theme}.png`) });
  }
  for (const part of ["html", "main"]) {
    const over = await page.locator(part).evaluate((element) => element.scrollWidth - element.clientWidth);
    if (over > 0) found.push(`${part} scrolls sideways by ${over} px`);
  }
  expect([...found, ...complaints]).toEqual([]);
});
