import { expect, test } from "vitest";
import { addressesIn } from "./addresses";

test("addresses are found, each once, and what is none is named", () => {
  const text = "https://example.com/a.mp4\n\n  http://example.com/b.mov https://example.com/a.mp4\nftp://example.com/c.mp4 film.mp4";
  expect(addressesIn(text)).toEqual({
    urls: ["https://example.com/a.mp4", "http://example.com/b.mov"],
    wrong: ["ftp://example.com/c.mp4", "film.mp4"],
  });
  expect(addressesIn(" \n ")).toEqual({ urls: [], wrong: [] });
});
