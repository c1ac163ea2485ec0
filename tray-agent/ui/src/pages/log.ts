// The last lines of the log; the view follows its end unless somebody reads further up.

import { copier, h, Outcome } from "../dom";
import { stamp } from "../format";
import { call, on, type LogLine } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.log;
const MOST = 500;

export function log(): Page {
  const list = h("ol", { class: "lines", attributes: { tabindex: "0", "aria-label": words.title } });
  const empty = h("p", { class: "soft", text: words.empty });
  const outcome = new Outcome();
  let lines: LogLine[] = [];
  const add = (line: LogLine) => {
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 20;
    const level = words.levels[line.level];
    lines.push(line);
    list.append(
      h("li", { class: line.level }, h("time", { text: stamp(line.at), attributes: { datetime: line.at } }), h("span", {}, level === "" ? null : h("b", { text: level }), line.text)),
    );
    while (list.children.length > MOST) list.firstElementChild?.remove();
    empty.hidden = true;
    if (atEnd) list.scrollTop = list.scrollHeight;
  };
  // Somebody far away reads it, so times say their zone and levels their name.
  const asText = () => lines.slice(-MOST).map(({ at, level, text }) => `${at} ${level.toUpperCase()} ${text}\n`).join("");
  let isOpen = false;
  on("log", (line) => {
    if (isOpen) add(line);
  });
  const show = async () => {
    const all = await call<LogLine[]>("log_lines");
    lines = [];
    list.replaceChildren();
    all.forEach(add);
    list.scrollTop = list.scrollHeight;
    isOpen = true;
  };
  return {
    element: h(
      "div",
      { class: "page tall" },
      h("div", { class: "title" }, h("h1", { text: words.title }), copier(words.copy, outcome, asText)),
      h("p", { class: "lead", text: words.lead }),
      outcome.element,
      h("section", { class: "card" }, empty, list),
    ),
    update: () => undefined,
    enter: () => {
      void outcome.of(show());
    },
    leave: () => {
      isOpen = false;
    },
  };
}
