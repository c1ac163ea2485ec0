// What the pages other than that for limits promise to whoever uses them, with and without eyes and a mouse.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { strings } from "../src/strings";
import { DESKS, type Desk } from "./desks";
import { LEAST_SIZE, windows } from "./window";

const open = windows();
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");
const buttons = (page: Page) => page.locator("main").locator("button:visible, a:visible").allTextContents();

describe("Status", () => {
  it("without a farm does not tell how long a farm has to wait", async () => {
    const { page } = await open(DESKS.notJoined);
    await page.getByRole("heading", { name: "Not part of a farm yet" }).waitFor();
    expect(await page.locator("main").textContent()).not.toMatch(/since|until/);
    const waiting = await open(DESKS.inUse);
    await waiting.page.getByText("since 15:23 (23 min)").waitFor();
  });
});

describe("the focus", () => {
  it.each<[string, Desk, string, Desk, string]>([
    ["Pause", DESKS.waiting, "Pause", DESKS.paused, "Resume"],
    ["Resume", DESKS.paused, "Resume", DESKS.waiting, "1 h"],
    ["a snooze", DESKS.waiting, "3 h", DESKS.snoozed, "End the snooze"],
    ["the end of a snooze", DESKS.snoozed, "End the snooze", DESKS.waiting, "1 h"],
    ["the answer about login", DESKS.askedAboutLogin, "Start at login", DESKS.encoding, "1 h"],
    ["a fault meanwhile", DESKS.waiting, "Pause", DESKS.broken, "Open the log"],
    ["an engine that starts", DESKS.waiting, "Pause", DESKS.starting, "Starting"],
  ])("after %s is at what follows", async (_, before, press, after, successor) => {
    const { page, snapshot } = await open(before);
    await page.getByRole("button", { name: press, exact: true }).focus();
    await page.keyboard.press("Enter");
    await snapshot(after.snapshot);
    expect(await focused(page)).toBe(successor);
  });

  it("after leaving the farm is at joining another", async () => {
    const { page, snapshot } = await open(DESKS.waiting, { page: "settings" });
    await page.getByRole("button", { name: "Leave the farm" }).click();
    expect(await focused(page)).toBe("Stay");
    await page.getByRole("button", { name: "Leave", exact: true }).press("Enter");
    expect(await focused(page)).toBe("Leave the farm");
    await snapshot(DESKS.notJoined.snapshot);
    expect(await focused(page)).toBe("Join a farm");
  });

  it("on the page for joining is in its first field, however one comes there", async () => {
    const { page } = await open(DESKS.notJoined);
    await page.locator("main").getByRole("link", { name: "Join a farm" }).press("Enter");
    const field = page.getByLabel("Link or code");
    await field.waitFor();
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
  });

  it("is on the button where a link was passed on", async () => {
    const { page } = await open(DESKS.joiningOffered, { page: "join" });
    expect(await focused(page)).toBe("Join");
  });

  it("stays on what waits for an answer", async () => {
    const { page, snapshot } = await open({ ...DESKS.waiting, snapshot: { ...DESKS.waiting.snapshot, update: { is: "unknown" } } }, { page: "settings" });
    await page.getByRole("button", { name: "Look for a new version" }).press("Enter");
    await snapshot({ ...DESKS.waiting.snapshot, update: { is: "looking" } });
    expect(await focused(page)).toBe("Look for a new version");
    await snapshot(DESKS.updateFound.snapshot);
    expect(await focused(page)).toBe("Install and start again");
  });
});

describe("what is offered", () => {
  it.each<[string, Desk, string[]]>([
    ["paused, in no farm", DESKS.pausedNotJoined, ["Join a farm", "Resume"]],
    ["broken", DESKS.broken, ["Open the log", "Copy details"]],
    ["without an engine", DESKS.engineDown, ["Open the log", "Copy details"]],
    ["with an update", DESKS.updateFound, ["1 h", "3 h", "6 h", "12 h", "Pause", "See it under Settings"]],
  ])("%s", async (_, of, offered) => {
    const { page } = await open(of);
    expect(await buttons(page)).toEqual(offered);
  });

  it("quits from the window, too", async () => {
    const { page, asked } = await open(DESKS.waiting, { page: "about" });
    await page.getByRole("button", { name: "Quit Offpeak" }).click();
    expect(await asked("quit")).toHaveLength(1);
  });
});

describe("servers on this network", () => {
  it("stand first, and are gone when one comes back", async () => {
    const { page, tell } = await open(DESKS.joining, { page: "join" });
    const titles = () => page.locator("main").locator("h2, label").allTextContents();
    expect((await titles())[0]).toBe("Link or code");
    await tell("server", { id: "a", name: "Cellar", address: "http://192.168.1.20:7070" });
    expect((await titles())[0]).toBe("On this network");
    await page.getByRole("button", { name: "Use Cellar", exact: true }).click();
    expect(await page.getByLabel("Server", { exact: true }).inputValue()).toBe("http://192.168.1.20:7070");
    await page.getByRole("link", { name: "About" }).click();
    await page.getByRole("navigation").getByRole("link", { name: "Join a farm" }).click();
    await page.getByText("Looking for servers").waitFor();
    expect(await page.getByText("Cellar", { exact: true }).count()).toBe(0);
  });

  it("do not move what somebody types in", async () => {
    const { page, tell } = await open(DESKS.joining, { page: "join" });
    await page.getByLabel("Link or code").fill("ofe_9");
    await tell("server", { id: "a", name: "Cellar", address: "http://192.168.1.20:7070" });
    expect(await page.locator("main").locator("h2, label").first().textContent()).toBe("Link or code");
  });
});

describe("words", () => {
  it("tell since when and until which day", async () => {
    const { page } = await open({ ...DESKS.offSchedule, snapshot: until(DESKS.offSchedule, "2026-11-26T17:00:00Z") });
    await page.getByText("since 15:23 (23 min), until Thu 18:00").waitFor();
  });

  it("of a fault can be selected", async () => {
    const { page } = await open(DESKS.broken);
    for (const text of ["The bundled ffmpeg", "ffmpeg_altered"]) {
      expect(await page.locator("main").getByText(text).evaluate((line) => getComputedStyle(line).userSelect)).toBe("text");
    }
  });

  it("are there on hovering where there is no room for them", async () => {
    const { page } = await open(DESKS.encoding, { size: LEAST_SIZE });
    const titles = await page.getByRole("navigation").locator("a:visible").evaluateAll((links) => links.map((link) => link.getAttribute("title")));
    expect(titles).toEqual(["Status", "Limits", "Why", "Log", "Settings", "About"]);
    await page.getByTitle("job_01JDJ3X9Q2T8M4V6N0B7C5K1RZ").waitFor();
    expect(await page.locator("main").innerText()).not.toContain("job_");
  });

  it("of a server are those that people know", async () => {
    const { page } = await open(DESKS.encoding, { page: "settings" });
    await page.getByText("Joined https://farm.office.lan:7070 as “edit-suite-14”.", { exact: true }).waitFor();
  });

  it("of a computer in no farm are no riddle", async () => {
    const { page } = await open(DESKS.pausedNotJoined);
    await page.getByText("This computer has not joined a farm.").waitFor();
    const { page: starting } = await open(DESKS.starting);
    expect(await starting.getByRole("link", { name: "Join a farm" }).count()).toBe(0);
  });

  it("of what went on can be copied, with days", async () => {
    const { page } = await open(DESKS.encoding, { page: "log" });
    await page.getByText("24 Nov 18:00:02").waitFor();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied.").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.split("\n").slice(3, 4)).toEqual(["2026-11-25T14:31:41Z WARN a heartbeat took 6.2 s; the server or the network is slow"]);
  });

  it("of a fault can be copied, with its code", async () => {
    const { page } = await open(DESKS.broken);
    await page.getByRole("button", { name: "Copy details" }).click();
    await page.getByText("Copied.").waitFor();
    expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as unknown).toMatchObject({ state: "broken", code: "ffmpeg_altered" });
  });

  it("are those of the tray's menu where both say the same", () => {
    const rust = (file: string) => readFileSync(join(import.meta.dirname, "../../shell/src", file), "utf8");
    const said = Object.fromEntries([...rust("words.rs").matchAll(/"(\w+)" => "([^"]+)"/g)].map(([, kind = "", words = ""]) => [kind, words] as const));
    expect(strings.status.kinds).toEqual(said);
    for (const [name, words] of Object.entries({ PAUSE: strings.status.pause, RESUME: strings.status.resume, END_SNOOZE: strings.status.endSnooze })) {
      expect(rust("words.rs")).toContain(`pub const ${name}: &str = "${words}";`);
    }
    expect(rust("face.rs")).toContain("SNOOZE_HOURS: [u64; 4] = [1, 3, 6, 12]");
  });
});

function until({ snapshot }: Desk, end: string): Desk["snapshot"] {
  return { ...snapshot, now: snapshot.now === null ? null : { ...snapshot.now, until: end } };
}

describe("places where news are read aloud", () => {
  it.each(["status", "limits", "settings", "log", "about"])("are there before the news, on %s", async (name) => {
    const { page } = await open(DESKS.waiting, { page: name });
    const hidden = await page.locator('main [role="status"]').evaluateAll((all) => all.filter((one) => getComputedStyle(one).display === "none" || one.closest("[hidden]") !== null).length);
    expect(hidden).toBe(0);
    expect(await page.locator('main [role="status"]').count()).toBeGreaterThan(0);
  });
});

describe("edges of what can be pressed or filled in", () => {
  it.each(["light", "dark"] as const)("stand out from what is around them, in %s", async (theme) => {
    const { page } = await open(DESKS.ownHours, { page: "limits", theme });
    const contrasts = await page.evaluate(() => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      if (canvas === null) throw new Error("no canvas");
      const light = (colour: string) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [red = 0, green = 0, blue = 0] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const contrast = (one: string, other: string) => {
        const [dark = 0, bright = 0] = [light(one), light(other)].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05);
      };
      const style = (selector: string, pseudo?: string) => {
        const element = document.querySelector(selector);
        if (element === null) throw new Error(`no ${selector}`);
        return getComputedStyle(element, pseudo);
      };
      const card = style(".card").backgroundColor;
      return {
        field: contrast(style("#limit-network").borderTopColor, card),
        day: contrast(style(".day span").borderTopColor, card),
        offSwitch: contrast(style(".switch:not(:checked)").backgroundColor, card),
        knob: contrast(style(".switch:not(:checked)", "::after").backgroundColor, style(".switch:not(:checked)").backgroundColor),
        placeholder: contrast(style("#limit-network", "::placeholder").color, style("#limit-network").backgroundColor) / 1.5,
      };
    });
    for (const [what, contrast] of Object.entries(contrasts)) expect(contrast, what).toBeGreaterThan(3);
  });
});
