import mark from "../../../../web-dashboard/src/styles/mark.svg";
import { h, say } from "../dom";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.about;

export function about(): Page {
  const [shell, engine] = [h("dd"), h("dd")];
  const term = (name: string, value: HTMLElement) => [h("dt", { text: name }), value];
  const element = h(
    "div",
    { class: "page" },
    h(
      "section",
      { class: "card hero" },
      h("img", { class: "picture", attributes: { src: mark, alt: "" } }),
      h("div", { class: "words" }, h("h1", { text: strings.product }), h("p", { class: "reason", text: words.what })),
    ),
    h(
      "section",
      { class: "card" },
      h(
        "dl",
        {},
        ...term(words.shell, shell),
        ...term(words.engine, engine),
        ...term(words.licence, h("dd", { text: words.licenceIs })),
        ...term(words.privacy, h("dd", { text: words.privacyIs })),
      ),
    ),
  );
  return {
    element,
    update: ({ version, engine: state }) => {
      say(shell, version);
      say(engine, state.is === "running" ? state.version : words.notRunning);
    },
  };
}
