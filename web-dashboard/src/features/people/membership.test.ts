import { expect, test } from "vitest";
import { changesOf } from "./membership";

test.each([
  [["a", "b"], ["b", "c"], { join: ["c"], leave: ["a"] }],
  [[], ["a"], { join: ["a"], leave: [] }],
  [["a"], ["a"], { join: [], leave: [] }],
])("from %j to %j", (before, after, changes) => {
  expect(changesOf(before, after)).toEqual(changes);
});
