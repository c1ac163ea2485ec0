// Looks after a farm with the dashboard as its administrator does, in Chromium, against a real server and a real engine.
//
//   node dashboard-admin.mjs BASE SETUP_LINK FOLDER
//
// BASE is the server's address, SETUP_LINK the one with which the first administrator comes in, FOLDER where a picture is left when
// something is wrong. What only the test outside can do is asked for on standard output, a JSON line `{ "please": … }`, and done
// when a line comes back. Ends with a line for each step, and with exit code 1 when something was wrong.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { axeFaults, pageFaults, watchConsole } from "./dashboard-checks.mjs";
import { FLAGS } from "./flags.mjs";

const [base, setupLink, folder] = process.argv.slice(2);
const CHROMIUM = process.env.OFFPEAK_CHROMIUM ?? "/usr/bin/chromium";
const SOON = { timeout: 20_000 };
/** An engine tests its encoders before it says anything. */
const PROVED = { timeout: 90_000 };
const ADA = { email: "ada@example.com", name: "Ada Lovelace", password: "the analytical engine" };
const GRACE = { email: "grace@example.com", name: "Grace Hopper", password: "a ship in port is safe" };
const MACHINE = "night-shift-1";
const MANY = 1000;
/** A list that draws more rows than this is not virtual. */
const MOST_ROWS = 60;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

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

function expectEqual(what, is, expected) {
  if (is !== expected) throw new Error(`${what} is ${JSON.stringify(is)}, expected ${JSON.stringify(expected)}`);
}

/** A receiver of webhooks that keeps what it gets. */
const received = [];
const receiver = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    received.push({ headers: request.headers, body });
    response.end("thanks");
  });
});
await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));

const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
const page = await context.newPage();
watchConsole(page, faults);
const visited = [];

const dialog = () => page.getByRole("dialog").last();
const button = (name) => page.getByRole("button", { name, exact: true });
const heading = (name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor(SOON);
/** A page whose address is known only now, for the look at accessibility at the end. */
const remember = () => visited.push(new URL(page.url()).pathname);

async function open(label) {
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: label, exact: true }).click();
  await heading(label);
}

/** What fades in has not its own colours yet. */
const stillness = () =>
  page.waitForFunction(() => document.getAnimations().every(({ playState, effect }) => playState !== "running" || effect.getTiming().iterations === Infinity), undefined, SOON);

/** What a dialogue tells once. */
async function secretShown() {
  const secret = await dialog().locator("code").first().textContent(SOON);
  await stillness();
  const found = (await axeFaults(page)).map((fault) => `a secret that is told once: ${fault}`);
  faults.push(...found);
  await dialog().getByRole("button", { name: "I have copied it" }).click();
  await dialog().waitFor({ state: "hidden", ...SOON });
  return secret;
}

/** Takes back what a notice tells of. */
const undo = (what) => page.getByRole("alert").filter({ hasText: what }).getByRole("button", { name: "Undo" }).click();

async function call(token, path) {
  return (await fetch(base + path, { headers: { authorization: `Bearer ${token}` } })).status;
}

try {
  await step("the first administrator comes in by the link", async () => {
    await page.goto(setupLink);
    await page.getByLabel("Email").fill(ADA.email);
    await page.getByLabel("Name").fill(ADA.name);
    await page.getByLabel("Password").fill(ADA.password);
    await page.getByRole("button", { name: "Go on" }).click();
    await heading("Overview");
  });

  await step("a group is made, and its policy says in words what it means", async () => {
    await open("Policies");
    await button("New group").click();
    await dialog().getByLabel("Name").fill("Night shift");
    await button("Make it").click();
    await heading("Night shift");
    remember();
    await page.getByText(/^Works at any time, when nobody has touched the machine for 5 minutes/).waitFor(SOON);
    await button("Nights and weekends").click();
    await page.getByLabel("Begin after", { exact: true }).fill("15");
    await page.getByText(/^Works on weeknights 18:00–08:00 and all day at weekends, when nobody has touched the machine for 15 minutes/).waitFor(SOON);
    await page.getByLabel("Go on after", { exact: true }).fill("0");
    await button("Save the policy").click();
    await page.getByText("5 seconds to an hour").waitFor(SOON);
    await page.getByLabel("Go on after", { exact: true }).fill("2");
    await page.getByLabel("Cores").fill("2");
    await button("Save the policy").click();
    await page.getByText(/^Saved\./).waitFor(SOON);
    await page.reload();
    await page.getByText("Uses at most 2 cores.").waitFor(SOON);
    expectEqual("the idle time that was kept", await page.getByLabel("Begin after", { exact: true }).inputValue(), "15");
    // Nobody must wait for a weekend in a test.
    await button("At any time").click();
    await button("Save the policy").click();
    await button("Save the policy").waitFor({ state: "hidden", ...SOON });
  });

  await step("a machine joins with the link on the page, and is seen to", async () => {
    await open("Machines");
    await page.getByText("The farm has no machines yet.").waitFor(SOON);
    await page.getByRole("link", { name: "Add machines" }).click();
    await heading("Add machines");
    await page.getByRole("combobox", { name: "Group" }).click();
    await page.getByRole("option", { name: "Night shift" }).click();
    await button("Make a code").click();
    await page.getByRole("img", { name: "The link as a QR code" }).waitFor(SOON);
    const link = await page.locator("code", { hasText: /^offpeak/ }).first().textContent(SOON);
    for (const tab of ["Windows", "macOS", "Headless", "Linux"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.getByRole("tabpanel").getByText(link, { exact: false }).waitFor(SOON);
    }
    await stillness();
    faults.push(...(await axeFaults(page)).map((fault) => `a new code: ${fault}`));
    await page.getByText("Waiting for the first one").waitFor(SOON);
    await please(`enrol ${MACHINE} with ${link}`);
    await page.getByRole("link", { name: MACHINE }).click(PROVED);
    await heading(MACHINE);
    remember();
    await page.getByText("Joined the farm").waitFor(SOON);
    await page.getByRole("link", { name: "Night shift" }).waitFor(SOON);
    await page.getByText("libx264", { exact: true }).waitFor(PROVED);
    await page.getByRole("img", { name: /^(How long it is free|Nothing is known)/ }).waitFor(SOON);
  });

  await step("it is drained with a reason, and resumed", async () => {
    await button("Drain").click();
    await dialog().getByLabel("Reason").fill("New fan on Friday");
    await dialog().getByRole("button", { name: "Drain", exact: true }).click();
    await page.getByText("“New fan on Friday”").waitFor(SOON);
    await open("Machines");
    const row = page.getByRole("row").filter({ hasText: MACHINE });
    await row.getByText("Draining").waitFor(SOON);
    await row.getByText("New fan on Friday").waitFor(SOON);
    await page.getByRole("link", { name: /^Need attention/ }).click();
    await page.waitForURL(/state=attention/, SOON);
    await page.getByLabel(`Select ${MACHINE}`).click();
    await page.getByRole("group", { name: "What to do with the selected machines" }).getByRole("button", { name: "Resume" }).click();
    await page.getByText("No machine matches.").waitFor(SOON);
  });

  await step("it is renamed, and the name is taken back", async () => {
    await open("Machines");
    await page.getByRole("link", { name: MACHINE }).click();
    await button("More to do with this machine").click();
    await page.getByRole("menuitem", { name: "Rename…" }).click();
    await dialog().getByLabel("Name").fill("day-shift");
    await dialog().getByRole("button", { name: "Rename" }).click();
    await heading("day-shift");
    await undo("day-shift");
    await heading(MACHINE);
  });

  await step("a profile is copied, tried in words, and refused by the server at its field", async () => {
    await open("Profiles");
    await page.getByRole("link", { name: "hls-h264" }).click();
    await heading("hls-h264");
    remember();
    await page.getByRole("link", { name: "Copy", exact: true }).click();
    await heading("Copy of hls-h264");
    await page.getByLabel("Name", { exact: true }).fill("Phone App");
    await page.getByText("1 to 63 lower-case letters", { exact: false }).waitFor(SOON);
    await page.getByLabel("Name", { exact: true }).fill("phone-app");
    await page.getByRole("combobox", { name: "For a source of" }).click();
    await page.getByRole("option", { name: "PAL DVD", exact: false }).click();
    const made = page.getByRole("list", { name: "What is made" }).getByRole("listitem");
    expectEqual("what a DVD becomes", await made.first().innerText().then((text) => text.replaceAll(/\s+/g, " ")), "576p 1024 × 576 ≤ 1.9 Mbit/s");
    await page.locator("label", { hasText: /^Text$/ }).click();
    const text = page.getByLabel("The profile as JSON");
    const profile = JSON.parse(await text.inputValue());
    await text.fill(JSON.stringify({ ...profile, colour: "blue" }));
    await button("Make the profile").click();
    await page.getByRole("alert").filter({ hasText: "colour" }).waitFor(SOON);
    await text.fill(JSON.stringify({ ...profile, description: "For phones" }));
    await button("Make the profile").click();
    await heading("phone-app");
    remember();
    await page.getByText("For phones", { exact: true }).first().waitFor(SOON);
  });

  await step("a webhook gets a test message, signed with the secret that was shown", async () => {
    await open("Webhooks");
    await button("New webhook").first().click();
    await dialog().getByLabel("Address").fill("ftp://example.com/");
    await button("Make it").click();
    await dialog().locator("input[aria-invalid=true]").waitFor(SOON);
    await dialog().getByLabel("Address").fill(`http://127.0.0.1:${receiver.address().port}/offpeak`);
    await button("Make it").click();
    const secret = await secretShown();
    await heading(`127.0.0.1:${receiver.address().port}`);
    remember();
    await button("Send a test").click();
    const row = page.getByRole("row").filter({ hasText: "webhook.test" });
    await row.getByText("Delivered").waitFor(SOON);
    const [{ headers, body }] = received;
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const signed = createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest("base64");
    expectEqual("the signature", headers["webhook-signature"], `v1,${signed}`);
    await row.getByRole("button", { name: "webhook.test" }).click();
    await dialog().getByText("answered 200").waitFor(SOON);
    await dialog().getByText("thanks", { exact: true }).waitFor(SOON);
    await stillness();
    faults.push(...(await axeFaults(page)).map((fault) => `a delivery: ${fault}`));
    await dialog().getByRole("button", { name: "Send again" }).click();
    await dialog().getByText("#2", { exact: true }).waitFor(SOON);
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "hidden", ...SOON });
  });

  await step("a token works until it is revoked", async () => {
    await open("Tokens");
    await button("New token").first().click();
    await dialog().getByLabel("Name").fill("Intranet");
    await button("Make it").click();
    const secret = await secretShown();
    expectEqual("the answer to the token", await call(secret, "/v1/jobs"), 200);
    expectEqual("the answer to what it may not", await call(secret, "/v1/webhooks"), 403);
    await page.reload();
    const row = page.getByRole("row").filter({ hasText: "Intranet" });
    await row.getByText("never").waitFor({ state: "detached", ...SOON });
    await button("Revoke Intranet").click();
    await dialog().getByRole("button", { name: "Revoke it" }).click();
    await row.waitFor({ state: "detached", ...SOON });
    expectEqual("the answer to a revoked token", await call(secret, "/v1/jobs"), 401);
  });

  await step("a team is made, and somebody is invited who sees only what members see", async () => {
    await open("Teams");
    await button("New team").click();
    await dialog().getByLabel("Name").fill("Newsroom");
    await dialog().getByLabel("Weight").fill("3");
    await dialog().getByText(/^75 % of the farm/).waitFor(SOON);
    await button("Make it").click();
    await heading("Newsroom");
    remember();
    await open("People");
    await button("Invite").click();
    await dialog().getByLabel("Email").fill(GRACE.email);
    await dialog().getByLabel("Newsroom").check();
    await button("Make the link").click();
    const link = await secretShown();
    await page.getByText("Open invitations").waitFor(SOON);
    const other = await browser.newContext();
    const theirs = await other.newPage();
    watchConsole(theirs, faults);
    await theirs.goto(link);
    await theirs.getByLabel("Name").fill(GRACE.name);
    await theirs.getByLabel("Password").fill(GRACE.password);
    await theirs.getByRole("button", { name: "Go on" }).click();
    await theirs.getByRole("heading", { level: 1, name: "Overview" }).waitFor(SOON);
    const pages = await theirs.getByRole("navigation", { name: "Pages" }).getByRole("link").allInnerTexts();
    expectEqual("what a member can open", pages.join(), "Overview,Jobs,Upload,Profiles,Webhooks,Tokens");
    await other.close();
    await page.reload();
    await page.getByRole("row").filter({ hasText: GRACE.email }).getByText("Newsroom").waitFor(SOON);
    await button(`More to do with ${GRACE.name}`).click();
    await page.getByRole("menuitem", { name: "Do not let them log in" }).click();
    await page.getByText("may not log in").waitFor(SOON);
    await undo(GRACE.name);
    await page.getByText("may not log in").waitFor({ state: "detached", ...SOON });
  });

  await step("changes that are not saved are not lost without a question", async () => {
    await open("Policies");
    await page.getByRole("link", { name: "Night shift" }).click();
    await heading("Night shift");
    const cores = page.getByLabel("Cores");
    const isStill = async (value) => {
      await dialog().waitFor({ state: "hidden", ...SOON });
      expectEqual("what was typed", await cores.inputValue(), value);
    };
    await cores.fill("7");
    await page.getByText("Changes are not saved yet.").waitFor(SOON);
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Machines" }).click();
    await dialog().getByRole("button", { name: "Stay here" }).click();
    await isStill("7");
    await page.evaluate(() => history.back());
    await dialog().getByRole("button", { name: "Stay here" }).click();
    await isStill("7");
    // The tab: browsers ask in their own words.
    const asked = page.waitForEvent("dialog", SOON);
    await page.evaluate(() => setTimeout(() => location.reload()));
    const question = await asked;
    expectEqual("what the browser asks about", question.type(), "beforeunload");
    await question.dismiss();
    await isStill("7");
    // A short form in a dialogue.
    await button("More to do with this group").click();
    await page.getByRole("menuitem", { name: "Rename…" }).click();
    await dialog().getByLabel("Name").fill("Late shift");
    await page.keyboard.press("Escape");
    await button("Close without saving").click();
    await isStill("7");
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Machines" }).click();
    await dialog().getByRole("button", { name: "Leave without saving" }).click();
    await heading("Machines");
    await page.goBack();
    await heading("Night shift");
    expectEqual("what was never saved", await cores.inputValue(), "2");
  });

  await step("one changes one's own name, and ends a session of one's own", async () => {
    const other = await browser.newContext();
    const theirs = await other.newPage();
    watchConsole(theirs, faults);
    await theirs.goto(`${base}/login`);
    await theirs.getByLabel("Email").fill(ADA.email);
    await theirs.getByLabel("Password").fill(ADA.password);
    await theirs.getByRole("button", { name: "Go on" }).click();
    await theirs.getByRole("heading", { level: 1, name: "Overview" }).waitFor(SOON);
    await page.goto(`${base}/settings`);
    await page.getByRole("list", { name: "Sessions" }).getByText("this one").waitFor(SOON);
    await page.getByText(/^\d+\.\d+\.\d+/).first().waitFor(SOON);
    await page.getByRole("button", { name: /^End the session of Chrome/ }).click();
    await dialog().getByRole("button", { name: "End it" }).click();
    await page.getByRole("button", { name: /^End the session of/ }).waitFor({ state: "detached", ...SOON });
    await theirs.goto(`${base}/jobs`);
    await theirs.waitForURL(/\/login/, SOON);
    await other.close();
    await button("Change your name").click();
    await dialog().getByLabel("Name").fill("Ada King");
    await button("Save").click();
    await page.getByRole("button", { name: "Ada King" }).waitFor(SOON);
    await undo("Ada King");
    await page.getByRole("button", { name: ADA.name }).waitFor(SOON);
  });

  await step("a password is changed, and a wrong one is told at its field", async () => {
    await page.goto(`${base}/settings`);
    const next = "the difference engine";
    await page.getByLabel("The one you have").fill("not the password");
    await page.getByLabel("A new one", { exact: true }).fill(next);
    await page.getByLabel("The new one again").fill(next);
    await button("Change the password").click();
    await page.getByText(/password/i).filter({ hasText: /not/ }).first().waitFor(SOON);
    await page.getByLabel("The one you have").fill(ADA.password);
    await button("Change the password").click();
    await page.getByText(/^The password is changed\./).waitFor(SOON);
  });

  await step("a thousand machines scroll smoothly", async () => {
    await please(`enrol ${MANY} more`);
    await open("Machines");
    await page.getByRole("link", { name: new RegExp(`^All ${MANY + 1}`) }).waitFor({ timeout: 60_000 });
    const drawn = await page.getByRole("row").count();
    if (drawn > MOST_ROWS) throw new Error(`${drawn} rows are drawn at once`);
    const gaps = await page.evaluate(async () => {
      const found = [];
      let before = performance.now();
      const end = document.documentElement.scrollHeight;
      for (let at = 0; at < end; at += 600) {
        window.scrollTo(0, at);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        found.push(now - before);
        before = now;
      }
      return found.sort((a, b) => a - b);
    });
    console.log(JSON.stringify({ measured: "frames while scrolling", median: gaps[Math.floor(gaps.length / 2)], p95: gaps[Math.floor(gaps.length * 0.95)], frames: gaps.length }));
    await page.getByRole("row").filter({ hasText: `machine-${MANY}` }).waitFor(SOON);
    await page.getByLabel("Search by name").fill("machine-777");
    await page.getByRole("link", { name: "machine-777" }).waitFor(SOON);
    expectEqual("the rows that are found", await page.getByRole("row").count(), 2);
  });

  await step("a machine is revoked, after it was asked", async () => {
    await page.goto(`${base}/machines?name=${MACHINE}`);
    await page.getByRole("link", { name: MACHINE }).click();
    await button("More to do with this machine").click();
    await page.getByRole("menuitem", { name: "Revoke…" }).click();
    await dialog().getByRole("button", { name: "Leave it" }).click();
    await dialog().waitFor({ state: "hidden", ...SOON });
    await button("More to do with this machine").click();
    await page.getByRole("menuitem", { name: "Revoke…" }).click();
    await dialog().getByRole("button", { name: "Revoke it" }).click();
    await page.getByText(/^It was revoked, for good\./).waitFor(SOON);
    await page.goto(`${base}/machines?standing=revoked`);
    await page.getByRole("link", { name: MACHINE }).waitFor(SOON);
  });

  await step("pages with an id break no rule of accessibility, in either colours, on a desk or on a phone", async () => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const size of [{ width: 1360, height: 900 }, { width: 390, height: 844 }]) {
        await page.setViewportSize(size);
        for (const path of visited) {
          await page.goto(base + path);
          await page.getByRole("heading", { level: 1 }).waitFor(SOON);
          await page.getByRole("heading", { level: 2 }).first().waitFor(SOON);
          const where = `${path} (${colorScheme}, ${size.width} wide)`;
          faults.push(...(await pageFaults(page, where)));
        }
      }
    }
  });
} catch {
  await page.screenshot({ path: process.env.OFFPEAK_TEST_SHOT ?? join(folder, "dashboard-admin.png") }).catch(() => undefined);
  faults.push(`the page was ${page.url()} and said: ${(await page.locator("main").innerText().catch(() => "")).slice(0, 1500)}`);
} finally {
  await browser.close();
  receiver.close();
}
// Browsers note every refusal as an error; some were provoked here.
const PROVOKED = /status of (422|403) .*\/v1\/(profiles\/phone-app|webhooks|session\/password)\)$/;
const real = faults.filter((fault) => !PROVOKED.test(fault));
for (const fault of real) console.log(JSON.stringify({ fault }));
process.exit(real.length > 0 ? 1 : 0);
