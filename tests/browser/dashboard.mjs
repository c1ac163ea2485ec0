// Uses the dashboard as people do, in Chromium, against a real server with real engines.
//
//   node dashboard.mjs BASE SETUP_LINK FILM
//
// BASE is the server's address, SETUP_LINK the one with which the first administrator comes in, FILM a file of about a minute, whose
// profile is PROFILE. What only the test outside can do is asked for on standard output, a JSON line `{ "please": … }`, and done
// when a line comes back. Ends with a line for each step, and with exit code 1 when something was wrong.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { pageFaults, watchConsole } from "./dashboard-checks.mjs";
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

function expectEqual(what, is, expected) {
  if (is !== expected) throw new Error(`${what} is ${JSON.stringify(is)}, expected ${JSON.stringify(expected)}`);
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

  await step("a list is told of what happens elsewhere, while it asks nobody", async () => {
    // Whoever asks for what moves gets no answer: what is new here comes from the stream of events.
    await page.route((url) => url.pathname === "/v1/jobs" && (url.searchParams.get("state") ?? "").includes("queued"), () => undefined);
    const streams = page.waitForResponse((response) => new URL(response.url()).pathname === "/v1/jobs/events", SOON);
    await page.goto(`${base}/jobs?profile=${PROFILE}`);
    await page.getByRole("row").filter({ hasText: "film.mp4" }).first().waitFor(SOON);
    expectEqual("the answer to the list's stream", (await streams).status(), 200);
    const other = await context.newPage();
    const call = async (method, path, body) => {
      const answer = await other.request.fetch(base + path, { method, headers: { origin: base, ...body.headers }, data: body.data });
      if (!answer.ok()) throw new Error(`${method} ${path} answers ${answer.status()}: ${await answer.text()}`);
      return answer;
    };
    const begun = await call("POST", "/v1/uploads", { headers: { "tus-resumable": "1.0.0", "upload-length": "5" } });
    const upload = begun.headers().location.split("/").at(-1);
    const piece = { "tus-resumable": "1.0.0", "upload-offset": "0", "content-type": "application/offset+octet-stream" };
    await call("PATCH", `/v1/uploads/${upload}`, { headers: piece, data: Buffer.from("no, 5") });
    const wish = { source: { upload }, profile: PROFILE, metadata: { title: "From elsewhere" } };
    const job = await (await call("POST", "/v1/jobs", { headers: { "content-type": "application/json" }, data: JSON.stringify(wish) })).json();
    const row = page.getByRole("row").filter({ hasText: "From elsewhere" });
    await row.waitFor(SOON);
    await row.getByText("Failed").filter({ visible: true }).waitFor(ENCODED);
    await call("DELETE", `/v1/jobs/${job.id}`, {});
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await other.close();
  });

  /** Uploads that the page offers to go on with. */
  const unfinished = (name) => page.getByRole("list", { name: "Uploads that are not finished" }).getByRole("listitem").filter({ hasText: name });
  const PIECES = /\/v1\/uploads\/[^/]+$/;

  /** Lets go of a page that is sending something, and opens it anew. */
  const comeBack = async () => {
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    // Not before: what is held would be sent after all.
    await page.unroute(PIECES);
  };

  await step("an upload goes on with one click where the browser can open the file again", async () => {
    await page.goto(`${base}/upload`);
    // Nobody can click in the browser's own window for choosing files: a file of its private storage stands for the choice.
    await page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle("reel.mp4", { create: true });
      const writable = await handle.createWritable();
      for (let megabyte = 0; megabyte < 40; megabyte++) await writable.write(new Uint8Array(2 ** 20).fill(megabyte));
      await writable.close();
      window.showOpenFilePicker = () => Promise.resolve([handle]);
    });
    const held = [];
    await page.route(PIECES, (route) => {
      const request = route.request();
      return request.method() === "PATCH" && request.headers()["upload-offset"] !== "0" ? held.push(route) : route.continue();
    });
    await page.getByRole("button", { name: "Choose files" }).click();
    await until("the second piece is being sent", () => held.length > 0, { timeout: 60_000 });
    await comeBack();
    await unfinished("reel.mp4").getByText(/^33\.6 MB of 41\.9 MB arrived/).waitFor(SOON);
    const first = page.waitForRequest((request) => request.method() === "PATCH" && PIECES.test(request.url()), SOON);
    await page.getByRole("button", { name: "Go on with reel.mp4" }).click();
    expectEqual("where it goes on", (await first).headers()["upload-offset"], String(32 * 2 ** 20));
    await page.getByRole("list", { name: "Uploads", exact: true }).getByRole("link", { name: "Open the job" }).waitFor(SOON);
    expectEqual("what is left to finish", await unfinished("reel.mp4").count(), 0);
  });

  await step("elsewhere the file is asked for and looked at, and what nobody wants any more is discarded", async () => {
    const [left, wrong] = ["left.mp4", "wrong.mp4"].map((name) => join(dirname(film), name));
    writeFileSync(left, "These bytes wait to be sent.\n");
    writeFileSync(wrong, "These are others, and more.\n");
    await page.goto(`${base}/upload`);
    const held = [];
    await page.route(PIECES, (route) => (route.request().method() === "PATCH" ? held.push(route) : route.continue()));
    await page.getByLabel("Films to upload").setInputFiles(left);
    await until("it is being sent", () => held.length > 0);
    const address = held[0].request().url();
    await comeBack();
    const chosen = page.waitForEvent("filechooser", SOON);
    await page.getByRole("button", { name: "Go on with left.mp4" }).click(SOON);
    await (await chosen).setFiles(wrong);
    await page.getByText("It was left.mp4 that was begun, and this is wrong.mp4.").waitFor(SOON);
    await page.getByRole("button", { name: "Discard left.mp4" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Discard it" }).click();
    await unfinished("left.mp4").waitFor({ state: "detached", ...SOON });
    const answer = await context.request.head(address, { headers: { "tus-resumable": "1.0.0" } });
    if (![404, 410].includes(answer.status())) throw new Error(`the server still has the upload: ${answer.status()}`);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Upload" }).waitFor(SOON);
    expectEqual("what is left to finish", await unfinished("left.mp4").count(), 0);
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
          faults.push(...(await pageFaults(page, where)));
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
