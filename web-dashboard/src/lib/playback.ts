import Hls, { type ErrorData, type Level } from "hls.js";

/** One rung of the ladder, as the quality menu shows it. */
export interface Rung {
  /** Position in the ladder, which `choose` takes. */
  index: number;
  /** Lines of the picture; 0 when there is only sound. */
  height: number;
  bitsPerSecond: number;
}

export interface PlaybackEvents {
  /** The ladder is known; empty where the browser chooses by itself and cannot be told. */
  onLadder: (rungs: Rung[]) => void;
  /** Playback has moved to another rung. */
  onRung: (index: number) => void;
  /** Playback is over for a reason that trying again will not mend. */
  onBroken: (reason: string) => void;
}

export interface Playback {
  /** Fixes the rung; undefined lets the player choose by what the network carries. */
  choose: (index: number | undefined) => void;
  stop: () => void;
}

/** A picture decoder that fails twice in this many seconds will fail again. */
const SECOND_CHANCE_SECONDS = 10;
/** Pause before segments that could not be loaded are asked for again. */
const RETRY_AFTER_MS = 2000;

/** Plays `address` in `video`: by hls.js where Media Source Extensions exist, else by the browser itself. */
export function play(video: HTMLVideoElement, address: string, events: PlaybackEvents): Playback {
  if (Hls.isSupported()) return playWithHls(video, address, events);
  if (video.canPlayType("application/vnd.apple.mpegurl") !== "") return playNatively(video, address, events);
  events.onBroken("This browser can play neither HLS nor Media Source streams. A current Chrome, Edge, Firefox or Safari can.");
  return { choose: () => undefined, stop: () => undefined };
}

function playNatively(video: HTMLVideoElement, address: string, events: PlaybackEvents): Playback {
  const onError = () => {
    events.onBroken(video.error?.message ?? "The browser could not play the stream.");
  };
  video.addEventListener("error", onError);
  video.src = address;
  events.onLadder([]);
  return {
    choose: () => undefined,
    stop: () => {
      video.removeEventListener("error", onError);
      video.removeAttribute("src");
      video.load();
    },
  };
}

function playWithHls(video: HTMLVideoElement, address: string, events: PlaybackEvents): Playback {
  const hls = new Hls({
    // A job that is still encoding looks like a live stream; people want to see its beginning.
    startPosition: 0,
    lowLatencyMode: false,
    // CMAF segments go to the browser as they are: there is nothing to transmux, and a blob worker would loosen the page's policy.
    enableWorker: false,
    // No rung larger than the place it is shown in.
    capLevelToPlayerSize: true,
    backBufferLength: 60,
  });
  let lastMediaErrorAt = Number.NEGATIVE_INFINITY;
  let retry: number | undefined;

  hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
    events.onLadder(levels.map(rungOf).sort((a, b) => b.height - a.height || b.bitsPerSecond - a.bitsPerSecond));
  });
  hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => {
    events.onRung(level);
  });
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (data.fatal) mend(data);
  });
  hls.loadSource(address);
  hls.attachMedia(video);

  function mend(data: ErrorData) {
    switch (data.type) {
      case Hls.ErrorTypes.NETWORK_ERROR:
        // The server may be restarting; hls.js has already tried a few times by itself.
        window.clearTimeout(retry);
        retry = window.setTimeout(() => {
          if (hls.levels.length === 0) hls.loadSource(address);
          else hls.startLoad(video.currentTime);
        }, RETRY_AFTER_MS);
        return;
      case Hls.ErrorTypes.MEDIA_ERROR: {
        const now = performance.now();
        const recent = now - lastMediaErrorAt < SECOND_CHANCE_SECONDS * 1000;
        lastMediaErrorAt = now;
        if (recent) giveUp(data);
        else hls.recoverMediaError();
        return;
      }
      case Hls.ErrorTypes.KEY_SYSTEM_ERROR:
      case Hls.ErrorTypes.MUX_ERROR:
      case Hls.ErrorTypes.OTHER_ERROR:
        giveUp(data);
    }
  }

  function giveUp(data: ErrorData) {
    hls.destroy();
    events.onBroken(`The stream could not be played (${data.details}: ${data.error.message}).`);
  }

  return {
    choose: (index) => {
      // `nextLevel` keeps what is being shown and replaces what is buffered after it; -1 is automatic.
      hls.nextLevel = index ?? -1;
    },
    stop: () => {
      window.clearTimeout(retry);
      hls.destroy();
    },
  };
}

function rungOf(level: Level, index: number): Rung {
  return { index, height: level.height, bitsPerSecond: level.bitrate };
}
