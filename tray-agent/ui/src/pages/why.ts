// All that the engine knows of its desk, how it knows, and the rule that decided.

import { button, h, Outcome, say } from "../dom";
import { sentence } from "../format";
import { ask } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.why;

export function why(): Page {
  const rule = h("p", { class: "rule" });
  const body = h("tbody");
  const outcome = new Outcome();
  let state = "";

  const look = async () => {
    await outcome.of(
      ask({ type: "why" }).then((answer) => {
        if (answer.outcome !== "why") return;
        say(rule, sentence(answer.rule));
        const rows = answer.readings.map(({ name, value, how }) =>
          h("tr", {}, h("th", { text: name, attributes: { scope: "row" } }), h("td", { class: value === "unknown" ? "unknown" : "", text: value }), h("td", { class: "soft", text: how })),
        );
        body.replaceChildren(...rows);
      }),
    );
  };
  const column = (text: string) => h("th", { text, attributes: { scope: "col" } });
  const element = h(
    "div",
    { class: "page" },
    h("div", { class: "title" }, h("h1", { text: words.title }), button(words.again, () => void look())),
    h("p", { class: "lead", text: words.lead }),
    h(
      "section",
      { class: "card" },
      rule,
      outcome.element,
      h("table", {}, h("thead", {}, h("tr", {}, column(words.what), column(words.value), column(words.how))), body),
      h("p", { class: "hint", text: words.unknown }),
    ),
  );
  return {
    element,
    // Another state has another reason; figures that merely run are looked at when somebody asks.
    update: ({ now }) => {
      const next = now === null ? "" : `${now.state} ${now.reason}`;
      if (state !== "" && next !== state) void look();
      state = next;
    },
    enter: () => void look(),
  };
}
