// Elements without a framework: made once, changed where something changes, so that focus and half-typed text stay.

import { strings } from "./strings";

type Child = Node | string | null;

interface Properties {
  class?: string;
  text?: string;
  attributes?: Record<string, string>;
  on?: Record<string, (event: Event) => void>;
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { class: name, text, attributes, on }: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (name !== undefined) element.className = name;
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes ?? {})) element.setAttribute(key, value);
  for (const [key, hear] of Object.entries(on ?? {})) element.addEventListener(key, hear);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Sets text only when it differs: a screen reader reads what was set again. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function button(text: string, press: () => void, look = ""): HTMLButtonElement {
  const element = h("button", {
    class: `button ${look}`.trim(),
    text,
    attributes: { type: "button" },
    on: {
      click: () => {
        if (can(element)) press();
      },
    },
  });
  return element;
}

/** Whether pressing it does anything. One that does nothing keeps the focus, which `disabled` would take from it. */
export function can(element: HTMLElement): boolean {
  return element.getAttribute("aria-disabled") !== "true";
}

export function allow(element: HTMLElement, allowed: boolean): void {
  if (allowed) element.removeAttribute("aria-disabled");
  else element.setAttribute("aria-disabled", "true");
}

/** Makes a change that may hide what has the focus; the first of these that is there afterwards then gets it. */
export function passFocus(change: () => void, ...successors: HTMLElement[]): void {
  const had = document.activeElement;
  change();
  if (had instanceof HTMLElement && had.isConnected && !isShown(had)) successors.find(isShown)?.focus();
}

function isShown(element: HTMLElement): boolean {
  return element.isConnected && element.closest("[hidden]") === null;
}

/** A button that puts a text on the clipboard, and says so. */
export function copier(name: string, outcome: Outcome, text: () => string): HTMLButtonElement {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch (problem) {
      throw new Error(strings.notCopied, { cause: problem });
    }
  };
  return button(name, () => {
    void outcome.of(copy()).then((done) => {
      if (done) outcome.good(strings.copied);
    });
  });
}

/** A line that says how something went, also to those who do not see it. */
export class Outcome {
  readonly element = h("p", { class: "outcome", attributes: { role: "status" } });

  good(text: string): void {
    this.element.className = "outcome";
    say(this.element, text);
  }

  clear(): void {
    this.good("");
  }

  /** Runs it, and says so if it does not work. */
  async of(work: Promise<unknown>): Promise<boolean> {
    this.clear();
    try {
      await work;
      return true;
    } catch (problem) {
      this.element.className = "outcome wrong";
      say(this.element, problem instanceof Error ? problem.message : String(problem));
      return false;
    }
  }
}

let ids = 0;

/** A label above a field, with a hint that is read with it. */
export function field(label: string, input: HTMLInputElement, hint?: HTMLElement | string): HTMLElement {
  const id = `field-${++ids}`;
  input.id = id;
  const below = typeof hint === "string" ? h("p", { class: "hint", text: hint }) : (hint ?? null);
  if (below !== null) {
    below.id = `${id}-hint`;
    input.setAttribute("aria-describedby", below.id);
  }
  return h("div", { class: "field" }, h("label", { text: label, attributes: { for: id } }), input, below);
}

/** A switch with its name and what it means. */
export function toggle(name: string, why: string, change: (wanted: boolean) => void): { row: HTMLElement; input: HTMLInputElement; why: HTMLElement } {
  const id = `switch-${++ids}`;
  const input = h("input", {
    class: "switch",
    attributes: { type: "checkbox", role: "switch", id, "aria-describedby": `${id}-why` },
    on: {
      change: () => {
        change(input.checked);
      },
    },
  });
  const below = h("p", { class: "hint", text: why, attributes: { id: `${id}-why` } });
  const row = h("div", { class: "row" }, h("div", {}, h("label", { text: name, attributes: { for: id } }), below), input);
  return { row, input, why: below };
}
