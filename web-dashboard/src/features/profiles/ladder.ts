/**
 * What the server would make of a source: the same rules as server/src/plan/ladder.rs, whose own cases the tests here repeat.
 * Nothing is made larger than the source is.
 */

import type { Schemas } from "../../lib/api";

type Rung = Schemas["Rung"];

export interface SourceSize {
  /** Coded size, before rotation and before the sample aspect ratio. */
  width: number;
  height: number;
  /** Width of a sample, as multiples of its height; square when absent. */
  sampleAspect?: number;
  /** Clockwise turn for display. */
  rotation?: 0 | 90 | 180 | 270;
}

export interface Rendition {
  /** `h264-1080p`. */
  id: string;
  width: number;
  height: number;
  maxKbps: number;
}

/** Neither side may be longer: H.264 cannot say more. */
const LONGEST_SIDE = 16_384;
const MOST_PIXELS = 36_000_000;
/** A source within this share of a rung's height counts as that rung. */
const SAME_RUNG = 0.05;
/** Sample aspect ratios beyond these are damage, and read as square. */
const PLAUSIBLE_ASPECT = { least: 0.25, most: 4 };
/** Bits grow with pixels to this power. */
const BITS_PER_PIXEL_POWER = 0.75;
const LOWEST_CAP_KBPS = 100;

/** The renditions of a source, highest first; nothing when its pictures cannot be encoded. */
export function planLadder(source: SourceSize, ladder: readonly Rung[]): Rendition[] | undefined {
  const size = displaySize(source);
  if (size === undefined) return undefined;
  const shorter = Math.min(size.width, size.height);
  const made: Rendition[] = [];
  for (const { lines, maxKbps } of rungsFor(shorter, ladder)) {
    const factor = lines / shorter;
    const [width, height] = [even(size.width * factor), even(size.height * factor)];
    const id = `h264-${Math.min(width, height)}p`;
    // Two rungs of odd heights can come out as the same even size.
    if (made.every((other) => other.id !== id)) made.push({ id, width, height, maxKbps });
  }
  return made;
}

/** What a person sees: columns are stretched to square pixels, then the picture is turned. */
function displaySize({ width, height, sampleAspect = 1, rotation = 0 }: SourceSize): { width: number; height: number } | undefined {
  const isSize = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!isSize || Math.max(width, height) > LONGEST_SIDE || width * height > MOST_PIXELS) return undefined;
  const aspect = sampleAspect >= PLAUSIBLE_ASPECT.least && sampleAspect <= PLAUSIBLE_ASPECT.most ? sampleAspect : 1;
  const stretched = Math.min(LONGEST_SIDE, Math.max(1, width * aspect));
  return rotation === 90 || rotation === 270 ? { width: height, height: stretched } : { width: stretched, height };
}

/** Lines of the shorter side and caps, highest first. */
function rungsFor(sourceLines: number, unsorted: readonly Rung[]): { lines: number; maxKbps: number }[] {
  const ladder = unsorted
    .toSorted((a, b) => b.height - a.height)
    .filter(({ height }, at, sorted) => at === 0 || sorted[at - 1]?.height !== height);
  const fitting = ladder
    .filter(({ height }) => height <= sourceLines)
    .map(({ height, max_kbps }) => ({ lines: height, maxKbps: max_kbps }));
  const same = ladder.find(({ height }) => Math.abs(sourceLines - height) <= SAME_RUNG * height);
  // A little below a rung: that rung, at the source's own size. A little above one: the rung itself.
  if (same !== undefined) return sourceLines < same.height ? [{ lines: sourceLines, maxKbps: same.max_kbps }, ...fitting] : fitting;
  const top = ladder[0];
  if (top !== undefined && sourceLines > top.height) return fitting;
  return [{ lines: sourceLines, maxKbps: capBetween(sourceLines, ladder) }, ...fitting];
}

/** A cap for a size that is no rung: linear in pixels between two rungs, by the power rule below the lowest. */
function capBetween(lines: number, ladder: readonly Rung[]): number {
  const above = ladder.findLast(({ height }) => height >= lines);
  const below = ladder.find(({ height }) => height < lines);
  if (below !== undefined && above !== undefined) {
    const share = (lines ** 2 - below.height ** 2) / (above.height ** 2 - below.height ** 2);
    return Math.round(below.max_kbps + share * (above.max_kbps - below.max_kbps));
  }
  if (above !== undefined) {
    const kbps = Math.round(above.max_kbps * (lines ** 2 / above.height ** 2) ** BITS_PER_PIXEL_POWER);
    return Math.max(kbps, Math.min(LOWEST_CAP_KBPS, above.max_kbps));
  }
  return below?.max_kbps ?? LOWEST_CAP_KBPS;
}

/** The nearest even number from 2 on; between two of them the lower, so that nothing grows. */
function even(length: number): number {
  return Math.min(LONGEST_SIDE, Math.max(2, Math.round(length / 2 - 1e-6) * 2));
}

/** Which rendition a file is made of: the rung asked for, else the next lower one, else the lowest. */
export function renditionOfFile(height: number | null | undefined, renditions: readonly Rendition[]): Rendition | undefined {
  if (height == null) return renditions[0];
  return renditions.find((made) => Math.min(made.width, made.height) <= height) ?? renditions.at(-1);
}

/** Rungs that the source is too small for. */
export function leftOut(source: SourceSize, ladder: readonly Rung[]): number[] {
  const made = planLadder(source, ladder) ?? [];
  const lines = made.map(({ width, height }) => Math.min(width, height));
  return ladder.map(({ height }) => height).filter((height) => !lines.some((one) => Math.abs(one - height) <= SAME_RUNG * height));
}
