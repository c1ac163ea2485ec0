// Stretches of days, added and taken away. What is no stretch is refused at its row: a list without it would mean other hours.

import { button, h, say } from "../dom";
import type { Day, Hours } from "../shell";
import { strings } from "../strings";

const words = strings.limits;
const DAYS: Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EVENINGS: Hours = { days: ["mon", "tue", "wed", "thu", "fri"], from: "18:00", to: "08:00" };

/** `8`, `8:30`, `0830` and `08.30` as they are meant; null for what is no time of day. */
export function timeOfDay(text: string): string | null {
  const [, hours, minutes = "00"] = /^([01]?\d|2[0-4])(?:[:.]?([0-5]\d))?$/.exec(text.trim()) ?? [];
  if (hours === undefined || (hours === "24" && minutes !== "00")) return null;
  return `${hours.padStart(2, "0")}:${minutes}`;
}

interface Row {
  element: HTMLLIElement;
  rename: (number: number) => void;
  read: () => Hours;
  /** Where to mend it; null when there is nothing to mend. */
  wrong: () => HTMLElement | null;
}

export function hoursEditor(changed: () => void) {
  const list = h("ul", { class: "hours" });
  let rows: Row[] = [];
  const add = button(words.add, () => {
    const row = stretch(EVENINGS);
    put([...rows, row]);
    row.element.querySelector("input")?.focus();
    changed();
  });

  function put(wanted: Row[]): void {
    for (const row of rows) if (!wanted.includes(row)) row.element.remove();
    for (const row of wanted) if (!rows.includes(row)) list.append(row.element);
    rows = wanted;
    rows.forEach((row, index) => {
      row.rename(index + 1);
    });
  }

  function stretch({ days, from, to }: Hours): Row {
    const problem = h("p", { class: "hint wrong", attributes: { role: "alert" } });
    const touched = () => {
      mark("");
      changed();
    };
    const boxes = DAYS.map((day) => {
      const box = h("input", { attributes: { type: "checkbox", value: day }, on: { change: touched } });
      box.checked = days.includes(day);
      return box;
    });
    // A field for times of day has no 24:00; midnight at the end of a day is the midnight that begins the next.
    const time = (name: string, value: string) => {
      const input = h("input", {
        attributes: { type: "text", "aria-label": name, maxlength: "5", inputmode: "numeric", autocomplete: "off" },
        on: {
          input: touched,
          change: () => {
            input.value = timeOfDay(input.value) ?? input.value;
          },
        },
      });
      input.value = value;
      return input;
    };
    const [begin, end] = [time(words.from, from), time(words.to, to)];
    const mark = (text: string, ...where: HTMLElement[]) => {
      say(problem, text);
      for (const field of [...boxes, begin, end]) {
        if (where.includes(field)) field.setAttribute("aria-invalid", "true");
        else field.removeAttribute("aria-invalid");
      }
      return where[0] ?? null;
    };
    const remove = button(
      words.removeSign,
      () => {
        put(rows.filter((other) => other !== row));
        add.focus();
        changed();
      },
      "small",
    );
    const group = h(
      "div",
      { class: "stretch", attributes: { role: "group" } },
      h("div", { class: "days" }, ...boxes.map((box, index) => h("label", { class: "day" }, box, h("span", { text: words.days[DAYS[index] ?? "mon"] })))),
      h("div", { class: "times" }, begin, h("span", { text: "–" }), end),
      remove,
    );
    const row: Row = {
      element: h("li", {}, group, problem),
      rename: (number) => {
        group.setAttribute("aria-label", words.stretch(number));
        remove.setAttribute("aria-label", words.remove(number));
      },
      read: () => ({
        days: DAYS.filter((_, index) => boxes[index]?.checked),
        from: timeOfDay(begin.value) ?? begin.value,
        to: timeOfDay(end.value) ?? end.value,
      }),
      wrong: () => {
        const { days, from, to } = row.read();
        if (days.length === 0) return mark(words.wrong.noDay, ...boxes);
        if (timeOfDay(from) === null) return mark(words.wrong.noTime, begin);
        if (timeOfDay(to) === null) return mark(words.wrong.noTime, end);
        if (from === "24:00") return mark(words.wrong.endAsBeginning, begin);
        if (from === to) return mark(words.wrong.empty, end);
        return mark("");
      },
    };
    return row;
  }

  return {
    element: h("div", {}, list, add),
    fill: (hours: Hours[]) => {
      put(hours.map(stretch));
    },
    read: (): Hours[] => rows.map((row) => row.read()),
    /** Says at each row what is wrong with it, and goes to the first. */
    areRight: (): boolean => {
      const wrong = rows.map((row) => row.wrong()).find((field) => field !== null);
      wrong?.focus();
      return wrong === undefined;
    },
  };
}
