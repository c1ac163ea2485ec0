import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Longer than any transition: what fades in has not its own colours yet, and begins a frame after it is there. */
const FADED_IN_MS = 700;

/** What axe-core finds wrong with a page, a sentence each. What is found is looked at again when nothing moves any more. */
export async function axeFaults(page) {
  if ((await look(page)).length === 0) return [];
  await page.waitForTimeout(FADED_IN_MS);
  return look(page);
}

/** What is wrong with a whole page as it is shown now. With OFFPEAK_TEST_SHOTS, a picture of it is kept in that folder. */
export async function pageFaults(page, where) {
  const found = await axeFaults(page);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) found.push(`it scrolls sideways by ${over} px`);
  if (process.env.OFFPEAK_TEST_SHOTS !== undefined) {
    const name = where.replace(/(job|agent|grp|team|person|wh|tok)_\w+/g, "one").replace(/\W+/g, "-").replace(/^-|-$/g, "");
    await page.waitForTimeout(FADED_IN_MS);
    await page.screenshot({ path: join(process.env.OFFPEAK_TEST_SHOTS, `${name}.png`) });
  }
  return found.map((fault) => `${where}: ${fault}`);
}

async function look(page) {
  // By the debugger, since the page's own policy lets no foreign script in.
  const session = await page.context().newCDPSession(page);
  try {
    await session.send("Runtime.evaluate", { expression: AXE });
    const expression = `axe.run({ resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(violations))`;
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (typeof result.value !== "string") throw new Error(`axe did not run: ${exceptionDetails?.text ?? result.description}`);
    return JSON.parse(result.value).map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)).join(" … ")}`);
  } finally {
    await session.detach();
  }
}

/** Collects what a page complains about: errors, warnings, and what its content security policy refused. */
export function watchConsole(page, faults) {
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // Who is not logged in is told so by a 401; that the browser notes it is no fault of the page.
    if (message.text().includes("401") && message.location().url.endsWith("/v1/session")) return;
    faults.push(`the console of ${page.url()} says: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => faults.push(`${page.url()} threw: ${error.stack ?? error.message}`));
}
