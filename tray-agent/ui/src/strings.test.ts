import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

import { strings } from "./strings";

/** The last part of each name: `pause` of `status.pause`. Lists that are looked up by a value are used as a whole. */
function names(of: object): string[] {
  return Object.entries(of).flatMap(([name, value]) => (typeof value === "object" && value !== null && !["kinds", "levels", "days", "pages", "updates"].includes(name) ? names(value as object) : [name]));
}

it("every word is said somewhere", () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && !/strings|\.test\./.test(file));
  const code = files.map((file) => readFileSync(join(import.meta.dirname, file), "utf8")).join("\n");
  expect(names(strings).filter((name) => !new RegExp(`\\.${name}\\b`).test(code))).toEqual([]);
});
