import { byId } from "../../lib/dom";
import { clockTime } from "../../lib/format";

/** How long the whole will be, and how much of it exists: equal once the job is done. */
export interface Extent {
  totalSeconds: number;
  readySeconds: number;
}

export interface Controls {
  setExtent: (extent: Extent) => void;
}

/** Controls go away when nothing moved for this long. */
const QUIET_AFTER_MS = 2500;
const SEEK_STEP_SECONDS = 5;
const VOLUME_STEP = 0.05;
/** Seeking to the very edge of what is ready would only wait there. */
const EDGE_SECONDS = 0.25;

const stage = byId("stage", HTMLElement);
const bar = byId("controls", HTMLElement);
const seek = byId("seek", HTMLInputElement);
const toggleButton = byId("toggle", HTMLButtonElement);
const bigPlay = byId("big-play", HTMLButtonElement);
const muteButton = byId("mute", HTMLButtonElement);
const volume = byId("volume", HTMLInputElement);
const fullButton = byId("full", HTMLButtonElement);
const insetButton = byId("inset", HTMLButtonElement);
const now = byId("now", HTMLElement);
const total = byId("total", HTMLElement);
const spinner = byId("spinner", HTMLElement);

/** Puts the page's own controls over `video`. Call once. */
export function setUpControls(video: HTMLVideoElement): Controls {
  let extent: Extent = { totalSeconds: 0, readySeconds: 0 };
  let quiet: number | undefined;
  let scrubbing = false;

  bar.hidden = false;
  fullButton.hidden = !document.fullscreenEnabled && !hasNativeFullscreen(video);
  insetButton.hidden = !document.pictureInPictureEnabled;

  const lastSecond = () =>
    extent.readySeconds < extent.totalSeconds ? Math.max(0, extent.readySeconds - EDGE_SECONDS) : extent.totalSeconds;

  function seekTo(seconds: number) {
    video.currentTime = Math.min(Math.max(0, seconds), lastSecond());
    showTime();
  }

  function togglePlay() {
    if (video.paused) startPlaying(video);
    else video.pause();
  }

  function toggleMute() {
    video.muted = !video.muted;
  }

  function toggleFull() {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else if (document.fullscreenEnabled) void stage.requestFullscreen();
    else if (hasNativeFullscreen(video)) video.webkitEnterFullscreen();
  }

  function showTime() {
    const whole = Math.max(extent.totalSeconds, 0.001);
    if (!scrubbing) seek.value = String(video.currentTime);
    const shown = scrubbing ? Number(seek.value) : video.currentTime;
    now.textContent = clockTime(shown);
    seek.setAttribute("aria-valuetext", `${clockTime(shown)} of ${clockTime(extent.totalSeconds)}`);
    const percent = (seconds: number) => `${Math.min(100, (100 * seconds) / whole).toFixed(2)}%`;
    seek.style.setProperty("--played", percent(shown));
    seek.style.setProperty("--buffered", percent(Math.max(shown, bufferedTo(video))));
    seek.style.setProperty("--ready", percent(Math.max(extent.readySeconds, bufferedTo(video))));
  }

  function showPaused() {
    toggleButton.dataset.paused = String(video.paused);
    toggleButton.setAttribute("aria-label", video.paused ? "Play" : "Pause");
    // Only before the first frame moves: later a pause is the viewer's own and needs no sign across the picture.
    bigPlay.hidden = !video.paused || video.currentTime > 0;
    stir();
  }

  function showVolume() {
    const level = video.muted ? 0 : video.volume;
    muteButton.dataset.muted = String(level === 0);
    muteButton.setAttribute("aria-label", level === 0 ? "Unmute" : "Mute");
    volume.value = String(level);
    volume.style.setProperty("--level", `${level * 100}%`);
  }

  function setVolume(level: number) {
    video.volume = Math.min(1, Math.max(0, level));
    video.muted = video.volume === 0;
  }

  /** Shows the controls, and hides them again when nothing happens for a while. */
  function stir() {
    stage.classList.remove("quiet");
    window.clearTimeout(quiet);
    quiet = window.setTimeout(() => {
      const inUse = bar.querySelector(":focus-visible") !== null || bar.querySelector("[aria-expanded='true']") !== null;
      if (!video.paused && !inUse && !scrubbing) stage.classList.add("quiet");
    }, QUIET_AFTER_MS);
  }

  seek.addEventListener("input", () => {
    scrubbing = true;
    seekTo(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    scrubbing = false;
    seekTo(Number(seek.value));
  });
  seek.addEventListener("keydown", (event) => {
    const step = stepOf(event.key);
    if (step === undefined) return;
    event.preventDefault();
    seekTo(video.currentTime + step);
  });
  toggleButton.addEventListener("click", togglePlay);
  bigPlay.addEventListener("click", () => {
    togglePlay();
    toggleButton.focus({ preventScroll: true });
  });
  video.addEventListener("click", togglePlay);
  video.addEventListener("dblclick", toggleFull);
  muteButton.addEventListener("click", toggleMute);
  volume.addEventListener("input", () => {
    setVolume(Number(volume.value));
  });
  fullButton.addEventListener("click", toggleFull);
  insetButton.addEventListener("click", () => {
    if (document.pictureInPictureElement !== null) void document.exitPictureInPicture();
    else void video.requestPictureInPicture();
  });
  document.addEventListener("fullscreenchange", () => {
    fullButton.setAttribute("aria-label", document.fullscreenElement === null ? "Full screen" : "Leave full screen");
  });

  for (const name of ["timeupdate", "progress", "seeking", "durationchange"]) video.addEventListener(name, showTime);
  for (const name of ["play", "pause", "ended"]) video.addEventListener(name, showPaused);
  video.addEventListener("volumechange", showVolume);
  video.addEventListener("waiting", () => (spinner.hidden = false));
  for (const name of ["playing", "seeked", "pause", "canplay"]) video.addEventListener(name, () => (spinner.hidden = true));
  for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) stage.addEventListener(name, stir);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || wantsKeys(event.target)) return;
    const act = actionOf(event);
    if (act === undefined) return;
    event.preventDefault();
    act();
    stir();
  });

  function actionOf(event: KeyboardEvent): (() => void) | undefined {
    const step = stepOf(event.key);
    if (step !== undefined) {
      return () => {
        seekTo(video.currentTime + step);
      };
    }
    switch (event.key.toLowerCase()) {
      case " ":
        // On a button the space bar presses that button.
        return event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement ? undefined : togglePlay;
      case "k":
        return togglePlay;
      case "m":
        return toggleMute;
      case "f":
        return toggleFull;
      case "arrowup":
        return () => {
          setVolume(video.volume + VOLUME_STEP);
        };
      case "arrowdown":
        return () => {
          setVolume(video.volume - VOLUME_STEP);
        };
      default:
        return undefined;
    }
  }

  showPaused();
  showVolume();
  return {
    setExtent: (next) => {
      extent = next;
      seek.max = String(next.totalSeconds);
      total.textContent = clockTime(next.totalSeconds);
      showTime();
    },
  };
}

/** Starts to play; where the browser wants a click first, the big button stays and asks for it. */
export function startPlaying(video: HTMLVideoElement) {
  video.play().catch(() => undefined);
}

function stepOf(key: string): number | undefined {
  return key === "ArrowLeft" ? -SEEK_STEP_SECONDS : key === "ArrowRight" ? SEEK_STEP_SECONDS : undefined;
}

/** Whether what has the focus makes its own use of letters and arrows. */
function wantsKeys(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** The end of the buffered stretch that is being played. */
function bufferedTo(video: HTMLVideoElement): number {
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= video.currentTime + EDGE_SECONDS && video.currentTime <= video.buffered.end(i)) {
      return video.buffered.end(i);
    }
  }
  return 0;
}

/** iPhones show only the video element itself on the whole screen. */
function hasNativeFullscreen(video: HTMLVideoElement): video is HTMLVideoElement & { webkitEnterFullscreen: () => void } {
  return "webkitEnterFullscreen" in video;
}
