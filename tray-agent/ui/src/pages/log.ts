// The last lines of the log; the view follows its end unless somebody reads further up.

import { h } from "../dom";
import { call, on, type LogLine } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.log;
const MOST = 500;

export function log(): Page {
  const list = h("ol", { class: "lines", attributes: { tabindex: "0", "aria-label": words.title } });
  const empty = h("p", { class: "soft", text: words.empty });
  const add = (line: LogLine) => {
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 20;
    const level = words.levels[line.level];
    const time = new Date(line.at).toLocaleTimeString("en-GB");
    list.append(
      h("li", { class: line.level }, h("time", { text: time, attributes: { datetime: line.at } }), h("span", {}, level === "" ? null : h("b", { text: level }), line.text)),
    );
    while (list.children.length > MOST) list.firstElementChild?.remove();
    empty.hidden = true;
    if (atEnd) list.scrollTop = list.scrollHeight;
  };
  let isOpen = false;
  on("log", (line) => {
    if (isOpen) add(line);
  });
  return {
    element: h("div", { class: "page tall" }, h("h1", { text: words.title }), h("p", { class: "lead", text: words.lead }), h("section", { class: "card" }, empty, list)),
    update: () => undefined,
    enter: () => {
      void call<LogLine[]>("log_lines").then((lines) => {
        list.replaceChildren();
        lines.forEach(add);
        list.scrollTop = list.scrollHeight;
        isOpen = true;
      });
    },
    leave: () => {
      isOpen = false;
    },
  };
}
