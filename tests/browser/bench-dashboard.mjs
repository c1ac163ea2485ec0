// Measures how soon the dashboard is there, in Chromium, against a server that runs.
//
//   node bench-dashboard.mjs BASE SETUP_LINK [TRIES]
//
// BASE is the server's address, SETUP_LINK the one with which the first administrator comes in. Prints a line of JSON for each kind
// of visit: medians of TRIES (9) visits. `make bench-dashboard` starts a server and this.
import { comeIn, launch, say } from "./person.mjs";

const [base, setupLink, tries = "9"] = process.argv.slice(2);
/** A small office's laptop beside the machine that measures, as Lighthouse has it. */
const SLOW_CPU = 4;
const KEY_EVERY_MS = 15;

/** Runs in the page before anything else: when the overview answered a key, and when its figures were there. */
function watch() {
  const seen = (window.seen = {});
  document.addEventListener("focusin", () => {
    if (document.querySelector("h1") !== null) seen.answered ??= performance.now();
  });
  new MutationObserver(() => {
    if (seen.figures === undefined && document.querySelector("main")?.textContent.includes("Done today")) seen.figures = performance.now();
  }).observe(document, { subtree: true, childList: true });
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) if (name === "first-contentful-paint") seen.painted = startTime;
  }).observe({ type: "paint", buffered: true });
}

async function visit(context, slowness) {
  const page = await context.newPage();
  await page.addInitScript(watch);
  if (slowness > 1) await (await context.newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: slowness });
  await page.goto(base, { waitUntil: "commit" });
  const isDone = () => page.evaluate(() => window.seen?.answered !== undefined && window.seen.figures !== undefined && window.seen.painted !== undefined);
  for (const end = Date.now() + 60_000; !(await isDone().catch(() => false)); ) {
    if (Date.now() > end) throw new Error("the overview did not come within a minute");
    await page.keyboard.press("Tab");
    await page.waitForTimeout(KEY_EVERY_MS);
  }
  const measured = await page.evaluate(() => {
    const { painted, answered, figures } = window.seen;
    const scripts = performance.getEntriesByType("resource").filter(({ name, encodedBodySize: size }) => /\.js$/.test(new URL(name).pathname) && size > 0);
    return { painted, answered, figures, scripts: scripts.length, bytes: scripts.reduce((sum, { encodedBodySize: size }) => sum + size, 0) };
  });
  await page.close();
  return measured;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function tell(what, visits) {
  const of = (key) => Math.round(median(visits.map((one) => one[key])));
  say({ visit: what, first_contentful_paint_ms: of("painted"), answers_a_key_ms: of("answered"), figures_shown_ms: of("figures"), scripts: of("scripts"), javascript_kb: of("bytes") / 1000 });
}

const browser = await launch();
try {
  const first = await browser.newContext();
  await comeIn(await first.newPage(), setupLink);
  const storageState = await first.storageState();
  for (const [what, slowness] of [["first", 1], [`first, a processor ${SLOW_CPU} times as slow`, SLOW_CPU]]) {
    const visits = [];
    for (let n = 0; n < Number(tries); n++) {
      const fresh = await browser.newContext({ storageState });
      visits.push(await visit(fresh, slowness));
      await fresh.close();
    }
    tell(what, visits);
  }
  const again = [];
  for (let n = 0; n < Number(tries); n++) again.push(await visit(first, 1));
  tell("again", again);
} finally {
  await browser.close();
}
