/** No page of Offpeak's takes longer than this for anything that is not playing a film. */
const PATIENCE = { timeout: 15_000 };

/** Until a small job has its first segments, and then until it is done, on a machine that does other things as well. */
const JOB_PATIENCE = { timeout: 120_000 };

/**
 * Opens the player page of a job that nobody has begun yet: it must say so, start by itself once the job is playable, tell how
 * far the encoding is, and play to the end. Prints a line when it waits, upon which the test starts engines.
 */
export async function watchEarly(context, { base, job, film }) {
  const page = await context.newPage();
  await page.addInitScript(observeOnReady);
  await page.goto(`${base}/watch/${job}`);
  await page.getByRole("heading", { name: "Not playable yet" }).waitFor(JOB_PATIENCE);
  console.log(JSON.stringify({ waiting: true }));

  const told = [];
  await page.exposeFunction("tell", (text) => told.push(text));
  await page.evaluate(() => {
    const line = document.getElementById("encoding");
    const look = () => {
      if (!line.hidden) window.tell(document.getElementById("encoding-text").textContent);
    };
    new MutationObserver(look).observe(line, { attributes: true, childList: true, characterData: true, subtree: true });
  });
  await page.waitForFunction(() => window.observed.video.currentTime > 0, undefined, JOB_PATIENCE);
  await page.waitForFunction(() => window.observed.video.ended, undefined, JOB_PATIENCE);
  const seen = await page.evaluate(async () => ({
    firstFrame: await window.observed.firstFrame,
    endedAt: window.observed.video.currentTime,
    duration: window.observed.video.duration,
    tracks: window.tracks(),
    // Whoever watches as fast as the film is made may have to wait for it; anything else is trouble.
    trouble: window.observed.trouble.filter(({ what }) => what !== "waiting for data"),
  }));
  const say = (what) => seen.trouble.push({ at: seen.endedAt, what });
  if (await page.locator("#encoding").isVisible()) say("a finished job is shown as still encoding");
  for (const text of told) if (!/^Still encoding: \d+:\d\d of \d+:\d\d ready$/.test(text)) say(`the page said: ${text}`);
  if (film.heights.length === 0) delete seen.firstFrame;
  return { ...seen, told: [...new Set(told)], frames: undefined, sought: [] };
}

/** Runs in the page: watches the video element, which is in the page's HTML, before the page's own script runs. */
function observeOnReady() {
  document.addEventListener("readystatechange", () => {
    const video = document.querySelector("video");
    if (video && !window.observed.video) window.observeVideo(video);
  });
}

/** Uses the player page as a viewer does: presses play, watches to the end, then chooses rungs with the keyboard. */
export async function watchPage(context, { base, job, film, observe }) {
  const page = await context.newPage();
  const strangers = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("blob:")) strangers.push(request.url());
  });
  await page.addInitScript(() => {
    // A browser starts no sound before the viewer has clicked. Driving a page by script counts as clicking, so that rule is
    // kept here: the first frame then stands still until the test has looked at it.
    const { play } = HTMLMediaElement.prototype;
    let clicked = false;
    document.addEventListener("click", () => (clicked = true), { capture: true });
    HTMLMediaElement.prototype.play = function () {
      return clicked ? play.call(this) : Promise.reject(new DOMException("no click yet", "NotAllowedError"));
    };
  });
  await page.addInitScript(observeOnReady);
  await page.goto(`${base}/watch/${job}`);
  const seen = await observe(page, () => page.locator("#big-play").click(PATIENCE));
  const say = (what) => seen.trouble.push({ at: seen.endedAt, what });

  if (await page.locator("#encoding").isVisible()) say("a finished job is shown as still encoding");
  for (const [label, file] of [["HLS", "multivariant.m3u8"], ["DASH", "manifest.mpd"]]) {
    const address = await page.getByLabel(label, { exact: true }).inputValue();
    if (address !== `${base}/media/${job}/${file}`) say(`the ${label} address on the page is ${address}`);
  }
  for (const file of film.files ?? []) {
    await page.getByRole("link", { name: file }).waitFor(PATIENCE);
  }
  for (const address of strangers) say(`the page asked a stranger: ${address}`);
  seen.heightsChosen = await chooseEveryRung(page, film, say);

  await page.goto(`${base}/watch/job_00000000000000000000000000`);
  await page.getByRole("heading", { name: "There is no such video" }).waitFor(PATIENCE);
  return seen;
}

/** Walks the quality menu by keyboard; after each choice the picture must become of that height. */
async function chooseEveryRung(page, film, say) {
  const chosen = [];
  // What is on the screen stays and the segments after it are replaced: so choose in the first and look at the last.
  const inTheLast = ((film.frames - 1) * film.rate.den) / film.rate.num;
  for (const height of film.heights) {
    await page.evaluate(() => window.seekTo(window.observed.video, 0));
    await page.locator("#quality-button").press("Enter");
    const radio = page.getByRole("radio", { name: `${height}p` });
    await radio.waitFor(PATIENCE);
    await radio.press("Space");
    await page.keyboard.press("Escape");
    const shown = await heightAt(page, inTheLast, height);
    if (shown === height) chosen.push(height);
    else say(`after choosing ${height}p the picture has ${shown} lines`);
  }
  return chosen;
}

/**
 * Looks at the picture at `seconds` until it is `wanted` lines high, and tells what it is in the end. It seeks each time: a
 * picture that stands still stays on the screen when what lies under it in the buffer is replaced.
 */
async function heightAt(page, seconds, wanted) {
  const until = Date.now() + PATIENCE.timeout;
  for (;;) {
    const shown = await page.evaluate(async (to) => {
      await window.seekTo(window.observed.video, to);
      return window.observed.video.videoHeight;
    }, seconds);
    if (shown === wanted || Date.now() > until) return shown;
    await page.waitForTimeout(200);
  }
}
