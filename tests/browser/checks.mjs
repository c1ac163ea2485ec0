/** A frame must be shown for the moment it was made for, to this much. */
const FRAME_TOLERANCE_SECONDS = 0.001;
/** The whole may be longer than the picture by one AAC frame at 48 kHz. */
const LENGTH_TOLERANCE_SECONDS = 1024 / 48_000 + FRAME_TOLERANCE_SECONDS;
/** Sound and picture must fit together to this much; players round to milliseconds. */
const SOUND_TOLERANCE_SECONDS = 0.002;

/**
 * Compares what a player showed with the frame grid, on which frame n is shown at n / R.
 *
 * @param seen what `observe` in plays.mjs returns
 * @param film see plays.mjs
 * @returns one sentence for everything that is wrong
 */
export function faults(seen, film) {
  const secondsAt = (frame) => (frame * film.rate.den) / film.rate.num;
  const length = secondsAt(film.frames);
  const found = [];
  const expectNear = (what, value, expected, tolerance) => {
    if (!(Math.abs(value - expected) <= tolerance)) found.push(`${what} is ${value} s, expected ${expected} s within ${tolerance} s`);
  };

  for (const { at, what } of seen.trouble) found.push(`at ${at.toFixed(3)} s: ${what}`);

  if (seen.firstFrame !== undefined) {
    expectNear("the first frame's time", seen.firstFrame, 0, FRAME_TOLERANCE_SECONDS);
    for (const time of seen.frames ?? []) {
      const frame = Math.round(time / secondsAt(1));
      expectNear(`the time of frame ${frame}`, time, secondsAt(frame), FRAME_TOLERANCE_SECONDS);
    }
    for (const { frame, time } of seen.sought) {
      expectNear(`the time of frame ${frame}, which was sought,`, time, secondsAt(frame), FRAME_TOLERANCE_SECONDS);
    }
    if (seen.frames !== undefined && seen.frames.length < 5) found.push(`only ${seen.frames.length} frames were shown while playing`);
  }

  expectNear("the end of playback", seen.endedAt, length, LENGTH_TOLERANCE_SECONDS);
  expectNear("the duration", seen.duration, length, LENGTH_TOLERANCE_SECONDS);

  const tracks = seen.tracks.filter(({ removed }) => !removed);
  // The ends show whether a track as a whole was moved: a decoder's priming counted twice or not at all is 21 ms.
  const ends = { video: film.heights.length > 0 ? length : undefined, audio: film.audio_seconds };
  for (const [kind, end] of Object.entries(ends)) {
    if (end === undefined || end === null) continue;
    const track = tracks.find(({ mime }) => mime.startsWith(`${kind}/`));
    if (track === undefined) {
      found.push(`the player made no ${kind} buffer`);
      continue;
    }
    expectNear(`the start of the ${kind} track`, track.firstStart, 0, FRAME_TOLERANCE_SECONDS);
    const tolerance = kind === "audio" ? SOUND_TOLERANCE_SECONDS : FRAME_TOLERANCE_SECONDS;
    expectNear(`the end of the ${kind} track`, track.ranges.at(-1)?.[1], Math.min(end, seen.duration), tolerance);
    for (let i = 1; i < track.ranges.length; i++) {
      found.push(`the ${kind} track has a hole from ${track.ranges[i - 1][1]} s to ${track.ranges[i][0]} s`);
    }
  }
  return found;
}
