// The window: a page per concern beside a rail, each made once and told what changes.

import mark from "../../../web-dashboard/src/styles/mark.svg";
import { h, say } from "./dom";
import { icon } from "./icons";
import { about } from "./pages/about";
import { join } from "./pages/join";
import { limits } from "./pages/limits";
import { log } from "./pages/log";
import type { Page } from "./pages/page";
import { settings } from "./pages/settings";
import { status } from "./pages/status";
import { why } from "./pages/why";
import { show } from "./pictures";
import { call, on, type Snapshot } from "./shell";
import { strings } from "./strings";

const PAGES = { status, join, limits, why, log, settings, about };
type Name = keyof typeof PAGES;
// Times on the page ("23 min") are good to the minute.
const MINUTE = 60_000;

const pages = new Map<Name, Page>();
let latest: Snapshot | null = null;
let current: Name | null = null;

const picture = h("img", { class: "picture", attributes: { alt: "" } });
const headline = h("span", { class: "headline" });
const chip = h("p", { class: "chip" }, picture, headline);
// Changes of the state are read aloud on every page.
const aloud = h("p", { class: "for-ears", attributes: { role: "status" } });
const main = h("main", { attributes: { tabindex: "-1" } });
const links = new Map<Name, HTMLAnchorElement>();

function isName(text: string): text is Name {
  return Object.hasOwn(PAGES, text);
}

function build(): void {
  const list = h("ul");
  for (const name of Object.keys(PAGES).filter(isName)) {
    const link = h("a", { attributes: { href: `#${name}`, title: strings.pages[name] } }, icon(name), h("span", { text: strings.pages[name] }));
    links.set(name, link);
    list.append(h("li", {}, link));
  }
  const rail = h(
    "header",
    { class: "rail" },
    h("p", { class: "brand" }, h("img", { class: "mark", attributes: { src: mark, alt: "" } }), strings.product),
    h("nav", { attributes: { "aria-label": strings.navigation } }, list),
    chip,
  );
  document.body.append(rail, main, aloud);
}

function goTo(name: Name, byHand: boolean): void {
  if (current === name) return;
  if (current !== null) pages.get(current)?.leave?.();
  current = name;
  let page = pages.get(name);
  if (page === undefined) {
    page = PAGES[name]();
    pages.set(name, page);
  }
  for (const [other, link] of links) {
    if (other === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${strings.pages[name]} – ${strings.product}`;
  main.replaceChildren(page.element);
  main.scrollTop = 0;
  if (latest !== null) page.update(latest);
  if (byHand) main.focus();
  // After that, since a page may know a better place for the focus.
  page.enter?.();
}

function update(snapshot: Snapshot): void {
  latest = snapshot;
  const { face, now } = snapshot;
  show(picture, face.picture);
  say(headline, face.headline);
  chip.title = face.headline;
  say(aloud, face.reason === "" ? face.headline : `${face.headline}: ${face.reason}`);
  // Whoever has no farm needs the page for joining; others find it under Settings.
  const joinLink = links.get("join")?.parentElement;
  if (joinLink != null) joinLink.hidden = now?.farm !== null;
  if (current === "join" && now?.farm != null) location.hash = "status";
  if (current !== null) pages.get(current)?.update(snapshot);
}

function fromAddress(byHand: boolean): void {
  const name = location.hash.slice(1);
  goTo(isName(name) ? name : "status", byHand);
}

build();
on("snapshot", update);
on("page", (name) => {
  location.hash = name;
});
addEventListener("hashchange", () => {
  fromAddress(true);
});
setInterval(() => {
  if (latest !== null && !document.hidden) update(latest);
}, MINUTE);
update(await call<Snapshot>("snapshot"));
fromAddress(false);
