// Plays a finished job in Chromium with the players that people use, and tells whether it was as it should be.
//
//   node plays.mjs BASE JOB FILM [WAY…]
//
// BASE is the server's address, FILM a JSON text that says what must be seen:
//   { rate: { num, den }, frames, frames_per_segment, heights: [1080, 720 …], audio_seconds, files: [names] }
// with an empty `heights` for sound alone, and `audio_seconds` the end of the sound, absent if there is none; the player page
// must offer the `files`. A WAY is one of those below; all but `watch-early` are taken when none is named. Prints a JSON line per way and exits 1 when one went wrong.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { faults } from "./checks.mjs";
import { FLAGS } from "./flags.mjs";
import { openSite } from "./site.mjs";
import { watchEarly, watchPage } from "./watch-page.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const CHROMIUM = process.env.OFFPEAK_CHROMIUM ?? "/usr/bin/chromium";
/** Faster than life, to save time, yet slow enough that a busy machine with two cores decodes in time. */
const RATE = Number(process.env.OFFPEAK_PLAYBACK_RATE ?? 2);
/** For one way, over the length of the film. */
const PATIENCE_MS = 60_000;
/** The same where the film has yet to be made. */
const EARLY_PATIENCE_MS = 240_000;

const [base, job, filmText, ...wanted] = process.argv.slice(2);
const film = JSON.parse(filmText);
const hls = `${base}/media/${job}/multivariant.m3u8`;
const dash = `${base}/media/${job}/manifest.mpd`;

/** `watch-early` is for a job that nobody has begun. */
const EARLY = "watch-early";
const WAYS = {
  "hls.js": (context, site) => bare(context, site, "hlsjs", hls),
  "dash.js": (context, site) => bare(context, site, "dashjs", dash),
  "shaka-dash": (context, site) => bare(context, site, "shaka", dash),
  "shaka-hls": (context, site) => bare(context, site, "shaka", hls),
  "watch-page": (context) => watchPage(context, { base, job, film, observe }),
  [EARLY]: (context) => watchEarly(context, { base, job, film }),
};

/** A page with nothing but a video element and a player, on another origin than the stream. */
async function bare(context, site, player, address) {
  const page = await context.newPage();
  await page.goto(`${site.origin}/in-page/player.html`);
  await page.evaluate(([name, from]) => window.load(name, from), [player, address]);
  return observe(page, () => Promise.resolve());
}

/** Plays what a page has loaded to its end, then looks at single frames. `start` is done when there is something to play. */
async function observe(page, start) {
  // A player that is told to play before it has given the element its data may have that call cut off.
  await page.evaluate(() => window.observed.loaded);
  const firstFrame = film.heights.length === 0 ? undefined : await page.evaluate(() => window.observed.firstFrame);
  await start();
  await page.evaluate((rate) => window.playToEnd(window.observed.video, rate), RATE);
  const { endedAt, duration, tracks } = await page.evaluate(() => ({
    endedAt: window.observed.video.currentTime,
    duration: window.observed.video.duration,
    tracks: window.tracks(),
  }));
  const sought = [];
  if (firstFrame !== undefined) {
    for (const frame of framesToSeek()) {
      // The middle of a frame's time is inside it however numbers are rounded.
      const seconds = ((frame + 0.5) * film.rate.den) / film.rate.num;
      const time = await page.evaluate((to) => window.frameAt(window.observed.video, to), seconds);
      sought.push({ frame, time });
    }
  }
  const { trouble, frames } = await page.evaluate(() => ({ trouble: window.observed.trouble, frames: window.observed.frames }));
  return { firstFrame, frames, sought, endedAt, duration, tracks, trouble };
}

/** The first and last frames of a few segments: where spans meet is where mistakes would be. */
function framesToSeek() {
  const { frames, frames_per_segment: step } = film;
  const last = Math.ceil(frames / step) - 1;
  const starts = [...new Set([0, 1, Math.floor(last / 2), last])].filter((index) => index <= last).map((index) => index * step);
  return [...new Set([...starts, ...starts.map((frame) => frame - 1), frames - 1])].filter((frame) => frame >= 0).sort((a, b) => a - b);
}

function withLimit(promise, milliseconds) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

async function main() {
  const profile = mkdtempSync(join(tmpdir(), "offpeak-browser-"));
  const site = await openSite(HERE);
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: FLAGS,
    viewport: { width: 1280, height: 800 },
  });
  let failed = false;
  try {
    await context.addInitScript({ path: join(HERE, "in-page/observe.js") });
    const filmMs = (film.frames * film.rate.den * 1000) / film.rate.num;
    for (const way of wanted.length > 0 ? wanted : Object.keys(WAYS).filter((name) => name !== EARLY)) {
      const result = { way };
      const consoleErrors = [];
      context.on("weberror", (error) => consoleErrors.push(error.error().message));
      try {
        const seen = await withLimit(WAYS[way](context, site), (way === EARLY ? EARLY_PATIENCE_MS : PATIENCE_MS) + filmMs);
        seen.trouble.push(...consoleErrors.map((what) => ({ at: 0, what })));
        result.faults = faults(seen, film);
        result.seen = { ...seen, frames: seen.frames?.length };
      } catch (error) {
        result.faults = [String(error.stack ?? error), ...(await troubleOf(context)), ...consoleErrors];
      }
      context.removeAllListeners("weberror");
      failed ||= result.faults.length > 0;
      console.log(JSON.stringify(result));
      await Promise.all(context.pages().map((page) => page.close()));
      // A context without pages closes the browser's last window.
      await context.newPage();
    }
  } finally {
    await context.close();
    site.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  process.exitCode = failed ? 1 : 0;
}

/** What a page had written down when it got stuck. */
async function troubleOf(context) {
  const found = [];
  for (const page of context.pages()) {
    const text = await withLimit(
      page.evaluate(() => JSON.stringify({ trouble: window.observed?.trouble, at: window.observed?.video?.currentTime, tracks: window.tracks?.() })),
      2000,
    ).catch((error) => String(error));
    found.push(`${page.url()}: ${text}`);
  }
  return found;
}

await main();
