// Reads the dashboard's long lists, in Chromium, against a real server.
//
//   node dashboard-scrolls.mjs BASE SETUP_LINK FOLDER JOBS CANCELLED MACHINES
//
// BASE is the server's address, SETUP_LINK the one with which the first administrator comes in, FOLDER where a picture is left when
// something is wrong; then how many jobs, cancelled ones and machines the server has. Ends with a line for each step, and with exit
// code 1 when something was wrong. How smoothly it scrolled is printed; it depends on the machine, and nothing is asked of it.
import { atWork, comeIn, expectEqual, faults, say, SOON, step } from "./person.mjs";

const [base, setupLink, folder, ...counts] = process.argv.slice(2);
const [jobs, cancelled, machines] = counts.map(Number);
/** A list that draws more rows than this is not virtual: a window of 900 holds 16, and some are ready above and below. */
const MOST_ROWS = 60;
/** Fifty pages of the API, one after the other. */
const ALL_READ = { timeout: 240_000 };

await atWork(folder, async (page) => {
  /** All ids and titles in the list's order, as the API has them. */
  const listed = (path, key) =>
    page.evaluate(
      async ({ path, key }) => {
        const all = [];
        let cursor = "";
        do {
          const response = await fetch(`${path}?limit=200${cursor}`);
          if (!response.ok) throw new Error(`${path} answers ${response.status}`);
          const body = await response.json();
          all.push(...body[key].map(({ id, name, metadata, source_name: file }) => name ?? metadata.title ?? file ?? id));
          cursor = body.next_cursor == null ? "" : `&cursor=${encodeURIComponent(body.next_cursor)}`;
        } while (cursor !== "");
        return all;
      },
      { path, key },
    );
  /** Index and text of every row that is drawn, and whether it is inside the window. */
  const drawn = () =>
    page.getByRole("row").evaluateAll((rows) =>
      rows
        .filter((row) => row.querySelector('[role="cell"]') !== null)
        .map((row) => {
          const { top, bottom } = row.getBoundingClientRect();
          return { index: Number(row.getAttribute("aria-rowindex")) - 2, name: row.querySelector("a").textContent, isSeen: bottom > 0 && top < window.innerHeight };
        }),
    );
  const until = async (what, is, { timeout } = SOON) => {
    const end = Date.now() + timeout;
    while (!(await is())) {
      if (Date.now() > end) throw new Error(`not within ${timeout / 1000} s: ${what}`);
      await page.waitForTimeout(100);
    }
  };
  /** Goes to a part of the whole height, and waits until the rows there are the right ones. */
  const showsRightRows = async (part, all) => {
    await page.evaluate((part) => window.scrollTo(0, (document.documentElement.scrollHeight - window.innerHeight) * part), part);
    const near = Math.round(part * (all.length - 1));
    // A window of rows, at most, above and below.
    await until(`rows around ${near} are shown`, async () => (await drawn()).some(({ index, isSeen }) => isSeen && Math.abs(index - near) < 25));
    const rows = await drawn();
    if (rows.length > MOST_ROWS) throw new Error(`${rows.length} rows are drawn at once`);
    for (const { index, name } of rows) expectEqual(`row ${index}`, name, all[index]);
  };
  /** Scrolls through everything as fast as frames are drawn. */
  const scrollThrough = async (what) => {
    const { frames, long } = await page.evaluate(async () => {
      const long = [];
      new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
      const frames = [];
      window.scrollTo(0, 0);
      let before = await new Promise(requestAnimationFrame);
      const end = document.documentElement.scrollHeight;
      for (let at = 0; at < end; at += 1200) {
        window.scrollTo(0, at);
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - before);
        before = now;
      }
      return { frames: frames.sort((a, b) => a - b), long };
    });
    const at = (part) => Math.round(frames[Math.floor((frames.length - 1) * part)]);
    say({ measured: `frames while ${what} scroll`, frames: frames.length, median_ms: at(0.5), p95_ms: at(0.95), most_ms: at(1), long_tasks: long.length, longest_task_ms: Math.round(Math.max(0, ...long)) });
  };

  await step("the first administrator comes in by the link", () => comeIn(page, setupLink));

  await step("all jobs are read as one scrolls", async () => {
    await page.goto(`${base}/jobs`);
    await page.getByRole("row").nth(1).waitFor(SOON);
    const end = page.getByText(`${jobs} jobs`, { exact: true });
    await until(
      "the end of the list",
      async () => {
        await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
        return (await end.count()) > 0;
      },
      ALL_READ,
    );
  });

  await step("the jobs at the head, in the middle and at the end are the right ones", async () => {
    const all = await listed("/v1/jobs", "jobs");
    expectEqual("the number of jobs", all.length, jobs);
    for (const part of [0, 0.5, 1, 0.25, 0.75]) await showsRightRows(part, all);
    await scrollThrough("jobs");
    await showsRightRows(0.5, all);
  });

  await step("one opens a job in the middle, and comes back to it", async () => {
    const seen = (await drawn()).find(({ isSeen }) => isSeen)?.name ?? "";
    const link = page.getByRole("link", { name: seen, exact: true });
    await link.focus();
    await link.press("Enter");
    await page.getByRole("heading", { level: 1, name: seen }).waitFor(SOON);
    await page.goBack();
    await until(`${seen} is in sight again`, async () => (await drawn()).some(({ name, isSeen }) => isSeen && name === seen));
  });

  await step("the address says which jobs are listed", async () => {
    await page.goto(`${base}/jobs?state=cancelled`);
    await page.getByText(`${cancelled} jobs`, { exact: true }).waitFor(SOON);
    expectEqual("the rows", (await drawn()).length, cancelled);
    await page.goto(`${base}/jobs?q=reel-07777`);
    await page.getByText("1 job", { exact: true }).waitFor(SOON);
    expectEqual("what is found", (await drawn()).map(({ name }) => name).join(), "reel-07777");
    await page.getByRole("button", { name: "Clear the search" }).click();
    await page.waitForURL(`${base}/jobs`, SOON);
    await until("all jobs are listed again", async () => (await drawn()).length > 10);
  });

  await step("the machines at the head, in the middle and at the end are the right ones", async () => {
    await page.goto(`${base}/machines`);
    await page.getByRole("row").nth(1).waitFor(SOON);
    const all = (await listed("/v1/agents", "agents")).sort();
    expectEqual("the number of machines", all.length, machines);
    for (const part of [0, 0.5, 1]) await showsRightRows(part, all);
    await scrollThrough("machines");
    await page.goto(`${base}/machines?name=machine-0777`);
    await until("one machine is found", async () => (await drawn()).map(({ name }) => name).join() === "machine-0777");
  });

  if (faults.length > 0) throw new Error("the console was not silent");
});
