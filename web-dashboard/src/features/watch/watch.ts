import { byId } from "../../lib/dom";
import { clockTime } from "../../lib/format";
import { showAddresses, showFiles } from "./about";
import type { Multivariant } from "./api/playlist";
import { askForReadiness, askForStream, hlsAddress } from "./api/stream";
import { setUpControls, startPlaying } from "./controls";
import { play, type Playback } from "../../lib/playback";
import { setUpQualityMenu } from "./quality-menu";

/** The states of the page, which its style sheet knows as `data-state` of the body. */
type PageState = "loading" | "waiting" | "missing" | "failed" | "unreachable" | "playing";

/** How often to ask whether a job has become playable: a new segment row comes every few seconds at best. */
const ASK_AGAIN_MS = 2000;
/** How often to ask how far the encoding is. */
const READINESS_EVERY_MS = 3000;

const video = byId("video", HTMLVideoElement);
const message = byId("message", HTMLElement);
const again = byId("again", HTMLButtonElement);
const encoding = byId("encoding", HTMLElement);
const stopped = byId("stopped", HTMLElement);

interface Message {
  title: string;
  text: string;
  /** Offer to load the page again. */
  retry?: boolean;
}

function showMessage(state: Exclude<PageState, "playing">, { title, text, retry = false }: Message) {
  document.body.dataset.state = state;
  byId("message-title", HTMLElement).textContent = title;
  byId("message-text", HTMLElement).textContent = text;
  message.hidden = false;
  again.hidden = !retry;
}

/** Asks until there is something to play. */
async function waitForStream(job: string): Promise<Multivariant | undefined> {
  for (;;) {
    const answer = await askForStream(job);
    switch (answer.kind) {
      case "playable":
        return answer.stream;
      case "missing":
        showMessage("missing", {
          title: "There is no such video",
          text: "The address may be mistyped, or the job and its files were deleted.",
        });
        return undefined;
      case "failed":
        showMessage("failed", { title: "This video could not be made", text: answer.reason });
        return undefined;
      case "refused":
        showMessage("failed", { title: "This address does not play", text: answer.reason });
        return undefined;
      case "waiting":
        showMessage("waiting", {
          title: "Not playable yet",
          text: "The first seconds are still being encoded. This page starts by itself.",
        });
        break;
      case "unreachable":
        showMessage("unreachable", { title: "The server does not answer", text: "Trying again every few seconds." });
        break;
    }
    await pause(ASK_AGAIN_MS);
  }
}

function playStream(job: string) {
  const menu = setUpQualityMenu((index) => {
    playback.choose(index);
  });
  // Not earlier: only then does the browser know that there is sound, and whether it may start it unasked.
  video.addEventListener(
    "canplay",
    () => {
      startPlaying(video);
    },
    { once: true },
  );
  const playback: Playback = play(video, hlsAddress(job), {
    onLadder: menu.setLadder,
    onRung: menu.setShown,
    onBroken: (reason) => {
      video.hidden = true;
      byId("controls", HTMLElement).hidden = true;
      byId("big-play", HTMLElement).hidden = true;
      showMessage("failed", { title: "Playback stopped", text: reason, retry: true });
    },
  });
}

/** Keeps the encoding line and the seek bar up to date until the job is done. */
async function followEncoding(job: string, stream: Multivariant) {
  const controls = setUpControls(video);
  const setExtent = (readySeconds: number, totalSeconds: number) => {
    // The playlist's sums are rounded; the media's own length, once it is final, is what seeking goes by.
    const final = readySeconds === totalSeconds && Number.isFinite(video.duration) ? video.duration : totalSeconds;
    controls.setExtent({ readySeconds: readySeconds === totalSeconds ? final : readySeconds, totalSeconds: final });
  };
  for (;;) {
    const answer = await askForReadiness(stream.mediaPlaylist);
    if (answer.kind === "failed") {
      encoding.hidden = true;
      stopped.textContent = `Encoding stopped: ${answer.reason} What is there can still be watched.`;
      stopped.hidden = false;
      return;
    }
    if (answer.kind === "readiness") {
      const { readySeconds, complete } = answer.readiness;
      const totalSeconds = complete ? readySeconds : Math.max(readySeconds, stream.plannedSeconds ?? 0);
      setExtent(readySeconds, totalSeconds);
      showEncoding(readySeconds, complete ? undefined : stream.plannedSeconds, complete);
      if (complete) {
        video.addEventListener("durationchange", () => {
          setExtent(readySeconds, readySeconds);
        });
        break;
      }
    }
    await pause(READINESS_EVERY_MS);
  }
  await showFinishedFiles(job, stream);
}

/** Files are made after the last segment: while the job is at it, its playlist still says how long it was planned to be. */
async function showFinishedFiles(job: string, stream: Multivariant) {
  let known = stream;
  for (;;) {
    showFiles(known.files);
    if (known.plannedSeconds === undefined) return;
    await pause(READINESS_EVERY_MS);
    const answer = await askForStream(job);
    if (answer.kind === "playable") known = answer.stream;
  }
}

function showEncoding(readySeconds: number, plannedSeconds: number | undefined, complete: boolean) {
  encoding.hidden = complete;
  const of = plannedSeconds === undefined ? "" : ` of ${clockTime(plannedSeconds)}`;
  byId("encoding-text", HTMLElement).textContent = `Still encoding: ${clockTime(readySeconds)}${of} ready`;
  const bar = byId("encoding-bar", HTMLProgressElement);
  bar.hidden = plannedSeconds === undefined;
  bar.value = plannedSeconds === undefined ? 0 : Math.min(1, readySeconds / plannedSeconds);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => window.setTimeout(resolve, milliseconds));
}

async function start() {
  const job = decodeURIComponent(/^\/watch\/([^/]+)/.exec(location.pathname)?.[1] ?? "");
  byId("job", HTMLElement).textContent = job;
  again.addEventListener("click", () => {
    location.reload();
  });
  const stream = await waitForStream(job);
  if (stream === undefined) return;
  document.body.dataset.state = "playing";
  message.hidden = true;
  video.hidden = false;
  showAddresses(job);
  playStream(job);
  await followEncoding(job, stream);
}

void start();
