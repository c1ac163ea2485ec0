import { expect, test } from "vitest";
import { bitRate, byteSize, clockTime } from "./format";

test.each([
  [0, "0:00"],
  [59.99, "0:59"],
  [60, "1:00"],
  [3600 + 62, "1:01:02"],
  [Number.NaN, "0:00"],
  [Number.POSITIVE_INFINITY, "0:00"],
])("%d seconds are %s", (seconds, text) => {
  expect(clockTime(seconds)).toBe(text);
});

test.each([
  [5_245_000, "5.2 Mbit/s"],
  [780_400, "780 kbit/s"],
])("%d bits a second are %s", (bits, text) => {
  expect(bitRate(bits)).toBe(text);
});

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1400, "1.4 kB"],
  [24_400_000, "24.4 MB"],
  [240_000_000, "240 MB"],
])("%d bytes are %s", (bytes, text) => {
  expect(byteSize(bytes)).toBe(text);
});
