import mark from "../../../../web-dashboard/src/styles/mark.svg";
import { button, copier, h, Outcome, say } from "../dom";
import { call } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.about;

export function about(): Page {
  const [shell, engine] = [h("dd"), h("dd")];
  const outcome = new Outcome();
  const term = (name: string, value: HTMLElement) => [h("dt", { text: name }), value];
  const versions = () => `${words.shell} ${shell.textContent}\n${words.engine} ${engine.textContent}\n${navigator.userAgent}\n`;
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
    // Where a desktop shows no icons in its panel, this is the only way out.
    h(
      "section",
      { class: "card" },
      h("div", { class: "wishes" }, button(words.quit, () => void outcome.of(call("quit"))), copier(words.copyVersions, outcome, versions)),
      h("p", { class: "hint", text: words.quitWhy }),
      outcome.element,
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
