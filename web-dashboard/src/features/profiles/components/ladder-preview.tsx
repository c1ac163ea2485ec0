import { NumberInput, Select } from "@mantine/core";
import { useState } from "react";
import { bitRate, byteSize } from "../../../lib/format";
import type { Whole } from "../check";
import { leftOut, planLadder, renditionOfFile, type SourceSize } from "../ladder";
import classes from "./profiles.module.css";

const SIZES: { value: string; label: string; size: SourceSize }[] = [
  { value: "2160", label: "4K, 3840 × 2160", size: { width: 3840, height: 2160 } },
  { value: "1440", label: "1440p, 2560 × 1440", size: { width: 2560, height: 1440 } },
  { value: "1080", label: "Full HD, 1920 × 1080", size: { width: 1920, height: 1080 } },
  { value: "scope", label: "Cinema, 1920 × 800", size: { width: 1920, height: 800 } },
  { value: "720", label: "720p, 1280 × 720", size: { width: 1280, height: 720 } },
  { value: "pal", label: "PAL DVD, 720 × 576 (16:9)", size: { width: 720, height: 576, sampleAspect: 64 / 45 } },
  { value: "480", label: "480p, 854 × 480", size: { width: 854, height: 480 } },
  { value: "phone", label: "Upright phone, 1080 × 1920", size: { width: 1080, height: 1920 } },
];
const OTHER = "other";
const SECONDS_AN_HOUR = 3600;

/** What a job with this profile would make of a film of some size. */
export function LadderPreview({ profile }: { profile: Whole }) {
  const [choice, setChoice] = useState("1080");
  const [own, setOwn] = useState<{ width: number | string; height: number | string }>({ width: 1600, height: 900 });
  const source = SIZES.find(({ value }) => value === choice)?.size ?? { width: Number(own.width), height: Number(own.height) };
  const ladder = profile.video.ladder.filter(({ height, max_kbps: kbps }) => height > 0 && kbps > 0);
  const made = planLadder(source, ladder);
  const missing = leftOut(source, ladder);
  const isLossless = profile.video.quality?.mode === "lossless";
  const most = Math.max(1, ...(made ?? []).map(({ maxKbps }) => maxKbps));
  const sum = (made ?? []).reduce((total, { maxKbps }) => total + maxKbps, 0) + profile.audio.bitrate_kbps;

  return (
    <div className={classes.preview}>
      <div className={classes.source}>
        <Select
          label="For a source of"
          allowDeselect={false}
          data={[...SIZES.map(({ value, label }) => ({ value, label })), { value: OTHER, label: "Another size" }]}
          value={choice}
          onChange={(value) => {
            setChoice(value ?? "1080");
          }}
        />
        {choice === OTHER && (
          <div className={classes.size}>
            <NumberInput
              aria-label="Width"
              min={1}
              allowDecimal={false}
              value={own.width}
              onChange={(width) => {
                setOwn({ ...own, width });
              }}
            />
            <span aria-hidden>×</span>
            <NumberInput
              aria-label="Height"
              min={1}
              allowDecimal={false}
              value={own.height}
              onChange={(height) => {
                setOwn({ ...own, height });
              }}
            />
          </div>
        )}
      </div>
      {made === undefined ? (
        <p className={classes.bad} role="alert">
          Pictures of this size cannot be encoded: each side has 1 to 16,384 pixels, and both together at most 36 million.
        </p>
      ) : (
        <>
          <ol className={classes.rungs} aria-label="What is made">
            {made.map(({ id, width, height, maxKbps }) => (
              <li key={id} className={classes.rung}>
                <b>{Math.min(width, height)}p</b>
                <span className={classes.fine}>
                  {width} × {height}
                </span>
                <span className={classes.bar} aria-hidden>
                  <span style={{ width: `${(100 * maxKbps) / most}%` }} />
                </span>
                <span className={classes.cap}>{isLossless ? "no cap" : `≤ ${bitRate(maxKbps * 1000)}`}</span>
              </li>
            ))}
          </ol>
          <ul className={classes.notes}>
            {missing.length > 0 && (
              <li>{missing.map((height) => `${height}p`).join(", ")}: left out, as nothing is made larger than the source.</li>
            )}
            {!isLossless && made.length > 0 && (
              <li>All rungs together take at most {byteSize((sum * 1000 * SECONDS_AN_HOUR) / 8)} an hour; quiet scenes take much less.</li>
            )}
            <li>
              Sound: AAC, {profile.audio.bitrate_kbps} kbit/s, {profile.audio.channels === 1 ? "mono" : "stereo, or mono if the source is"}.
            </li>
            <li>
              At most {profile.max_frame_rate} frames a second; segments of about {profile.segment_seconds} s, handed out{" "}
              {profile.span_seconds} s at a time.
            </li>
            {profile.files.map(({ name, height }, at) => (
              <li key={at}>
                {name}: {lines(renditionOfFile(height, made))} with the sound, as one MP4.
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function lines(made: { width: number; height: number } | undefined): string {
  return made === undefined ? "nothing" : `${Math.min(made.width, made.height)}p`;
}
