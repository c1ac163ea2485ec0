import { expect, test } from "vitest";
import { misfit } from "./unfinished";

const begun = { name: "film.mov", bytes: 4, kept: { lastModified: 1000, wishes: { profile: "hls-h264", priority: 5 } } };
const file = (name: string, content: string, lastModified: number) => new File([content], name, { lastModified });

test("only the file that was begun goes on", () => {
  expect(misfit(begun, file("film.mov", "1234", 1000))).toBeUndefined();
  expect(misfit(begun, file("other.mov", "1234", 1000))).toBe("It was film.mov that was begun, and this is other.mov.");
  expect(misfit(begun, file("film.mov", "12345", 1000))).toContain("another length");
  expect(misfit(begun, file("film.mov", "1234", 2000))).toContain("was changed");
  // What was begun before this was kept has only name and length.
  expect(misfit({ ...begun, kept: undefined }, file("film.mov", "1234", 2000))).toBeUndefined();
});
