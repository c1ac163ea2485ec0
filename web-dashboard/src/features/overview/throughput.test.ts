import { expect, test } from "vitest";
import { throughput } from "./throughput";

const sample = (minute: number, speed: number) => ({ at: new Date(minute * 60_000).toISOString(), speed: { real_time: speed } });

test("a hole breaks the line", () => {
  const { points, most, usual, from, to } = throughput([sample(10, 0), sample(11, 4), sample(20, 2)], 30 * 60_000);
  expect(points).toEqual([
    [600, 660, 661, 1200],
    [0, 4, null, 2],
  ]);
  expect([most, usual, from, to]).toEqual([4, 3, 1800 - 86_400, 1800]);
});

test("nothing is known at first", () => {
  expect(throughput([], 0)).toMatchObject({ most: 0, usual: 0, points: [[], []] });
});
