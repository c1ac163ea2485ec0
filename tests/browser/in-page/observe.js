// Runs in the page before anything else. Writes down what a viewer would notice, and what the browser was told to buffer.
//
// window.observed = {
//   video                the first video element that asked for frames to be watched
//   sourceBuffers        [{ mime, buffer }] in the order in which players made them
//   trouble              what should not happen: [{ at, what }]; `at` is the media time in seconds
//   firstFrame           promised: the media time of the first frame
//   loaded               promised: there is something to play
//   frames               media times of the frames that were shown while `watchFrames` was on
// }
(() => {
  const observed = { video: undefined, sourceBuffers: [], trouble: [], frames: [] };
  window.observed = observed;

  for (const kind of [window.MediaSource, window.ManagedMediaSource]) {
    if (!kind) continue;
    const addSourceBuffer = kind.prototype.addSourceBuffer;
    kind.prototype.addSourceBuffer = function (mime) {
      const buffer = addSourceBuffer.call(this, mime);
      observed.sourceBuffers.push({ mime, buffer, firstStart: undefined });
      // What starts a track may be evicted later, so its place is noted when it comes in.
      buffer.addEventListener("updateend", () => {
        const entry = observed.sourceBuffers.find((candidate) => candidate.buffer === buffer);
        if (entry.firstStart === undefined && buffer.buffered.length > 0) entry.firstStart = buffer.buffered.start(0);
      });
      return buffer;
    };
  }

  const LONGEST_HICCUP_MS = 1000;
  /** With this much in the buffer nobody waits for the network. */
  const ENOUGH_AHEAD_SECONDS = 0.5;

  /** Whether playback, if it stands, stands for want of data: little can be played from here without asking the network. */
  window.lacksData = (video) => bufferedAhead(video) < ENOUGH_AHEAD_SECONDS;

  function bufferedAhead(video) {
    const { buffered, currentTime, duration } = video;
    for (let i = 0; i < buffered.length; i++) {
      const end = buffered.end(i);
      if (buffered.start(i) <= currentTime && currentTime < end) return duration - end < 0.05 ? Infinity : end - currentTime;
    }
    return 0;
  }

  window.noteTrouble = (what) => {
    observed.trouble.push({ at: observed.video?.currentTime ?? 0, what });
  };
  window.addEventListener("securitypolicyviolation", (event) => {
    noteTrouble(`the page's policy forbids ${event.violatedDirective} ${event.blockedURI}`);
  });

  /** The media time of the next frame that is shown. */
  window.nextFrame = (video) =>
    new Promise((resolve) => video.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime)));

  /** Starts to watch: the first frame, errors from now on, waiting once it plays and until it ends. */
  window.observeVideo = (video) => {
    observed.video = video;
    observed.firstFrame = nextFrame(video);
    observed.loaded = new Promise((resolve) => video.addEventListener("loadeddata", () => resolve(), { once: true }));
    let playing = false;
    let waitingSince;
    video.addEventListener("playing", () => {
      playing = true;
      // A processor that is busy elsewhere makes the decoder wait for a moment although the data is there: no fault of the
      // stream, unless it goes on.
      if (performance.now() - waitingSince > LONGEST_HICCUP_MS) noteTrouble("stuck with the data at hand");
      waitingSince = undefined;
    });
    video.addEventListener("ended", () => (playing = false));
    video.addEventListener("seeking", () => (playing = false));
    video.addEventListener("waiting", () => {
      // At the very end Chromium may say that it waits just before it says that it ended.
      if (!playing || video.duration - video.currentTime <= 0.05) return;
      waitingSince = performance.now();
      if (lacksData(video)) noteTrouble("waiting for data");
    });
    video.addEventListener("error", () => noteTrouble(`video error ${video.error?.code}: ${video.error?.message}`));
  };

  /** Plays to the end at `rate`, writing down every frame shown. */
  window.playToEnd = (video, rate) =>
    new Promise((resolve, reject) => {
      const note = (_, { mediaTime }) => {
        observed.frames.push(mediaTime);
        video.requestVideoFrameCallback(note);
      };
      video.requestVideoFrameCallback(note);
      video.addEventListener("ended", resolve, { once: true });
      video.addEventListener("error", () => reject(new Error(video.error?.message)), { once: true });
      // Players set the rate themselves when they start, so it is set after that.
      video.addEventListener("playing", () => (video.playbackRate = rate), { once: true });
      if (!video.paused) video.playbackRate = rate;
      video.play().catch(reject);
    });

  /** Seeks, and is done when the browser says that it has. */
  window.seekTo = (video, seconds) =>
    new Promise((resolve) => {
      video.addEventListener("seeked", resolve, { once: true });
      video.currentTime = seconds;
    });

  /** Seeks to another frame than the one on the screen and tells the media time of what is then shown. */
  window.frameAt = async (video, seconds) => {
    const shown = nextFrame(video);
    await seekTo(video, seconds);
    return shown;
  };

  /** Where the tracks begin and end, as far as the browser has told so far. */
  window.tracks = () =>
    observed.sourceBuffers.map(({ mime, buffer, firstStart }) => {
      const ranges = [];
      try {
        for (let i = 0; i < buffer.buffered.length; i++) ranges.push([buffer.buffered.start(i), buffer.buffered.end(i)]);
      } catch {
        // A buffer that a player has removed has no ranges any more.
        return { mime, removed: true };
      }
      return { mime, firstStart, ranges, timestampOffset: buffer.timestampOffset };
    });
})();
