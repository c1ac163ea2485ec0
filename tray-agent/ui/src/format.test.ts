import { describe, expect, it } from "vitest";

import { energy, memory, moment, rate, schedule, sentence, span, video } from "./format";

describe("numbers as people read them", () => {
  it.each([
    [0, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [3599, "59 min"],
    [3600, "1 h"],
    [11_100, "3 h 5 min"],
    [172_800, "2 days"],
    [187_200, "2 days 4 h"],
    [-5, "0 s"],
  ])("a span of %d s", (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });

  it.each([
    [0, "0 min"],
    [100, "1.7 min"],
    [2532, "42 min"],
    [418_600, "116 h"],
  ])("%d s of video", (seconds, text) => {
    expect(video(seconds)).toBe(text);
  });

  it("energy, memory, rates", () => {
    expect([0.04, 3.14, 21.4, 3782].map(energy)).toEqual(["0 Wh", "3.1 Wh", "21 Wh", "3.8 kWh"]);
    expect([256, 1024, 19_660].map(memory)).toEqual(["256 MiB", "1 GiB", "19.2 GiB"]);
    expect([100_000, 200_000_000].map(rate)).toEqual(["0.1 Mbit/s", "200 Mbit/s"]);
  });

  it.each([
    ["", ""],
    ["someone is using this computer", "Someone is using this computer."],
    ["The disk is full!", "The disk is full!"],
  ])("%j as a sentence", (text, whole) => {
    expect(sentence(text)).toBe(whole);
  });

  it.each([
    ["2026-11-25T18:00:00", "18:00"],
    ["2026-11-25T00:00:00", "00:00"],
    ["2026-11-26T08:00:00", "Thu 08:00"],
    ["2026-11-23T15:23:00", "Mon 15:23"],
    ["2026-12-01T08:00:00", "Tue 08:00"],
    ["2026-12-02T08:00:00", "2 Dec 08:00"],
  ])("%s, seen on a Wednesday", (time, text) => {
    expect(moment(time, new Date("2026-11-25T15:46:00"))).toBe(text);
  });

  it("schedules", () => {
    expect(schedule([])).toBe("at any time");
    expect(
      schedule([
        { days: ["fri", "mon", "tue", "wed", "thu"], from: "18:00", to: "08:00" },
        { days: ["sat", "sun"], from: "00:00", to: "24:00" },
        { days: ["mon", "wed"], from: "12:00", to: "13:00" },
      ]),
    ).toBe("Mon–Fri 18:00–08:00; Sat, Sun all day; Mon, Wed 12:00–13:00");
  });
});
