// Uses the dashboard as people do, in Chromium, against a real server with real engines.
//
//   node dashboard.mjs BASE SETUP_LINK FILM
//
// BASE is the server's address, SETUP_LINK the one with which the first administrator comes in, FILM a file of about a minute, whose
// profile is PROFILE. What only the test outside can do is asked for on standard output, a JSON line `{ "please": … }`, and done
// when a line comes back. Ends with a line for each step, and with exit code 1 when something was wrong.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { axeFaults, watchConsole } from "./dashboard-checks.mjs";
import { FLAGS } from "./flags.mjs";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [base, setupLink, film] = process.argv.slice(2);
const CHROMIUM = process.env.OFFPEAK_CHROMIUM ?? "/usr/bin/chromium";
const PROFILE = process.env.OFFPEAK_TEST_PROFILE ?? "test-small";
/** No page takes longer than this for anything that is not encoding. */
const SOON = { timeout: 20_000 };
/** Until a small film is encoded, on a machine that does other things as well. */
const ENCODED = { timeout: 420_000 };
const ADA = { email: "ada@example.com", name: "Ada Lovelace", password: "the analytical engine" };
/** All pages that need no id. */
const PAGES = ["/", "/jobs", "/upload", "/machines", "/machines/enrol", "/policies", "/profiles", "/profiles/new", "/webhooks", "/tokens", "/teams", "/people", "/settings"];

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks the test outside, and waits until it has done so. */
async function please(what) {
  console.log(JSON.stringify({ please: what }));
  const { done } = await lines.next();
  if (done) throw new Error("nobody answers");
}

const faults = [];

async function step(name, does) {
  const since = Date.now();
  try {
    await does();
    console.log(JSON.stringify({ step: name, seconds: (Date.now() - since) / 1000 }));
  } catch (error) {
    faults.push(`${name}: ${error.stack ?? error}`);
    throw error;
  }
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
const page = await context.newPage();
watchConsole(page, faults);
let jobPage = "";

/** What the map says about its segments, for those who do not see it. */
const mapSays = () => page.getByTestId("span-map").getByText(/^Segments: /).textContent(SOON);
const made = async () => Number(/(\d+) made/.exec(await mapSays())?.[1] ?? 0);

async function until(what, is, { timeout } = SOON) {
  const end = Date.now() + timeout;
  while (!(await is())) {
    if (Date.now() > end) throw new Error(`not within ${timeout / 1000} s: ${what}`);
    await page.waitForTimeout(200);
  }
}

async function logIn() {
  await page.getByLabel("Email").fill(ADA.email);
  await page.getByLabel("Password").fill(ADA.password);
  await page.getByRole("button", { name: "Go on" }).click();
}

/** Uploads a file, and opens the job that is made of it. */
async function upload(file, name) {
  await page.getByRole("link", { name: "Upload" }).first().click();
  await page.getByLabel("Films to upload").setInputFiles(file);
  const row = page.getByRole("list", { name: "Uploads" }).getByRole("listitem").filter({ hasText: name }).last();
  await row.getByRole("link", { name: "Open the job" }).click(SOON);
  await page.getByRole("heading", { level: 1, name }).waitFor(SOON);
}

try {
  await step("the first administrator comes in by the link", async () => {
    await page.goto(setupLink);
    await page.getByLabel("Email").fill(ADA.email);
    await page.getByLabel("Name").fill(ADA.name);
    await page.getByLabel("Password").fill(ADA.password);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor(SOON);
  });

  await step("who logs out has to log in, and comes back to where they were", async () => {
    await page.getByRole("button", { name: ADA.name }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.waitForURL(`${base}/login`, SOON);
    await page.goto(`${base}/jobs?state=failed`);
    await page.waitForURL(/\/login\?next=/, SOON);
    await logIn();
    await page.waitForURL((url) => url.pathname === "/jobs" && url.search.includes("failed"), SOON);
    await page.getByText("No job matches").waitFor(SOON);
  });

  await step("logging in leads to no other server, and to a page in any case", async () => {
    const own = new URL(base).origin;
    for (const next of ["/.//elsewhere.invalid/", "//elsewhere.invalid/", "https://elsewhere.invalid/", "http://[", "javascript:0"]) {
      await page.goto(`${base}/login?next=${encodeURIComponent(next)}`);
      await logIn();
      await page.waitForURL((url) => url.origin === own && url.pathname !== "/login", SOON);
    }
  });

  await step("a film is uploaded and its map fills", async () => {
    await page.goto(`${base}/upload`);
    await page.getByRole("combobox", { name: "Profile" }).click();
    await page.getByRole("option", { name: PROFILE }).click();
    await upload(film, "film.mp4");
    jobPage = page.url();
    await until("the map shows segments", async () => (await page.getByTestId("span-map").count()) > 0, ENCODED);
    await until("two segments are made", async () => (await made()) >= 2, ENCODED);
    const before = await made();
    await until("more segments are made, without a reload", async () => (await made()) > before, ENCODED);
    await page.getByRole("list", { name: "Machines of this job" }).getByText("engine-1").waitFor(SOON);
  });

  await step("it plays while it is being encoded", async () => {
    const video = page.locator("video");
    await video.waitFor(ENCODED);
    await page.getByText("Encoding", { exact: true }).first().waitFor(SOON);
    await video.evaluate((element) => {
      element.muted = true;
      return element.play();
    });
    await until("pictures move", () => video.evaluate((element) => element.currentTime > 0.4 && element.videoWidth > 0), { timeout: 60_000 });
    if ((await page.getByRole("button", { name: "Cancel" }).count()) === 0) throw new Error("the job was complete before it played");
    await page.getByTestId("playing").getByText(/^Playing \d+p/).waitFor(SOON);
    await page.getByRole("button", { name: /^Quality/ }).click();
    await page.getByRole("menuitem", { name: "120p" }).click();
    await video.evaluate((element) => element.pause());
  });

  await step("machines that die are seen on the map, and another takes over", async () => {
    await please("kill engine-1");
    await please("kill engine-2");
    await until("the map shows that they fell silent", async () => (await mapSays()).includes("fell silent"), { timeout: 120_000 });
    await page.getByRole("list", { name: "Machines of this job" }).getByText(/^silent since/).first().waitFor(SOON);
    await please("start engine-3");
    await page.getByText(/^engine-3 took .* over from engine-/).first().waitFor(ENCODED);
    await page.getByText("Completed", { exact: true }).first().waitFor(ENCODED);
    await until("everything is made", async () => /^Segments: \d+ made\.$/.test(await mapSays()), SOON);
    await page.getByRole("link", { name: "film.mp4" }).waitFor(SOON);
  });

  await step("the list shows it, by its name and by what is searched", async () => {
    await page.getByRole("link", { name: "Jobs", exact: true }).first().click();
    const search = page.getByLabel("Search names and metadata");
    await search.fill("FILM.mp");
    await page.waitForURL(/q=FILM/, SOON);
    await page.getByRole("row").filter({ hasText: "film.mp4" }).getByText("Completed").filter({ visible: true }).waitFor(SOON);
    await search.fill("nothing of this name");
    await page.getByText("No job matches").waitFor(SOON);
  });

  await step("an upload goes on after the page was closed", async () => {
    await page.goto(`${base}/upload`);
    // Nothing arrives until the page is opened anew.
    const held = [];
    await page.route(/\/v1\/uploads\/[^/]+$/, (route) => (route.request().method() === "PATCH" ? held.push(route) : route.continue()));
    await page.getByLabel("Films to upload").setInputFiles(film);
    await until("the film is being sent", () => held.length > 0);
    await page.unroute(/\/v1\/uploads\/[^/]+$/);
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    await page.getByRole("heading", { name: "Not finished" }).waitFor(SOON);
    await upload(film, "film.mp4");
    await page.getByRole("link", { name: "Upload" }).first().click();
    if ((await page.getByRole("heading", { name: "Not finished" }).count()) > 0) throw new Error("a new upload was begun beside the old one");
    await page.goBack();
  });

  await step("a job is cancelled, after it was asked", async () => {
    await page.getByRole("button", { name: "Cancel" }).click(SOON);
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the job" }).click();
    await page.getByText("Cancelled", { exact: true }).first().waitFor(SOON);
  });

  await step("a job that failed says why, and is tried again", async () => {
    const notes = join(dirname(film), "notes.mp4");
    writeFileSync(notes, "These are notes, and no film at all.\n");
    await page.goto(`${base}/upload`);
    await upload(notes, "notes.mp4");
    await page.getByRole("region", { name: "Why it failed" }).getByText(/not video or sound/).first().waitFor(ENCODED);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Tried again", { exact: true }).waitFor(ENCODED);
    await page.getByRole("button", { name: "Try again" }).waitFor(ENCODED);
  });

  await step("many are done at once what one is", async () => {
    await page.goto(`${base}/jobs?state=failed`);
    await page.getByLabel("Select notes.mp4").click(SOON);
    await page.getByRole("region", { name: "Selected jobs" }).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete 1 job" }).click();
    await page.getByText("No job matches").waitFor(SOON);
  });

  await step("no page breaks a rule of accessibility, in either colours, on a desk or on a phone", async () => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const size of [{ width: 1360, height: 900 }, { width: 390, height: 844 }]) {
        await page.setViewportSize(size);
        for (const path of [...PAGES, new URL(jobPage).pathname]) {
          await page.goto(base + path);
          await page.getByRole("heading", { level: 1 }).waitFor(SOON);
          await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "hidden", ...SOON }).catch(() => undefined);
          const where = `${path} (${colorScheme}, ${size.width} wide)`;
          faults.push(...(await axeFaults(page)).map((fault) => `${where}: ${fault}`));
          const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          if (over > 0) faults.push(`${where} scrolls sideways by ${over} px`);
        }
      }
    }
  });

  await step("the first page is there soon", async () => {
    await page.setViewportSize({ width: 1360, height: 900 });
    const since = Date.now();
    await page.goto(base);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor(SOON);
    console.log(JSON.stringify({ measured: "overview shown", milliseconds: Date.now() - since }));
  });
} catch {
  await page.screenshot({ path: process.env.OFFPEAK_TEST_SHOT ?? join(dirname(film), "dashboard.png") }).catch(() => undefined);
  faults.push(`the page was ${page.url()} and said: ${(await page.locator("main").innerText().catch(() => "")).slice(0, 1500)}`);
} finally {
  await browser.close();
}
for (const fault of faults) console.log(JSON.stringify({ fault }));
process.exit(faults.length > 0 ? 1 : 0);
