// Stretches of days, added and taken away.

import { button, h } from "../dom";
import type { Day, Hours } from "../shell";
import { strings } from "../strings";

const words = strings.limits;
const DAYS: Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EVENINGS: Hours = { days: ["mon", "tue", "wed", "thu", "fri"], from: "18:00", to: "08:00" };

export function hoursEditor(changed: () => void) {
  const list = h("ul", { class: "hours" });
  const add = button(words.add, () => {
    const row = stretch(EVENINGS);
    list.append(row);
    row.querySelector("input")?.focus();
    changed();
  });

  function stretch({ days, from, to }: Hours): HTMLLIElement {
    const boxes = DAYS.map((day) => {
      const box = h("input", { attributes: { type: "checkbox", value: day }, on: { change: changed } });
      box.checked = days.includes(day);
      return h("label", { class: "day" }, box, h("span", { text: words.days[day] }));
    });
    const time = (name: string, value: string) => {
      // A field for times of day has no 24:00; midnight at the end of a day is the midnight that begins the next.
      const input = h("input", { attributes: { type: "text", "aria-label": name, pattern: "([01][0-9]|2[0-3]):[0-5][0-9]|24:00", maxlength: "5", inputmode: "numeric" }, on: { input: changed } });
      input.value = value;
      input.required = true;
      return input;
    };
    const row = h(
      "li",
      {},
      h("div", { class: "days", attributes: { role: "group", "aria-label": words.schedule } }, ...boxes),
      h("div", { class: "times" }, time(words.from, from), h("span", { text: "–" }), time(words.to, to)),
    );
    const remove = button("×", () => {
      row.remove();
      add.focus();
      changed();
    }, "small");
    remove.setAttribute("aria-label", words.remove);
    row.append(remove);
    return row;
  }

  return {
    element: h("div", {}, list, add),
    fill: (hours: Hours[]) => {
      list.replaceChildren(...hours.map(stretch));
    },
    read: (): Hours[] =>
      [...list.children].map((row) => {
        const days = [...row.querySelectorAll<HTMLInputElement>('input[type="checkbox"]')].filter((box) => box.checked);
        const [from, to] = row.querySelectorAll<HTMLInputElement>('input[type="text"]');
        return { days: days.map((box) => box.value as Day), from: from?.value ?? "", to: to?.value ?? "" };
      }),
  };
}
