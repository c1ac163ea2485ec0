import { byId, element } from "../../lib/dom";
import { bitRate } from "../../lib/format";
import type { Rung } from "../../lib/playback";

export interface QualityMenu {
  setLadder: (rungs: Rung[]) => void;
  /** Tells which rung is on the screen. */
  setShown: (index: number) => void;
}

const place = byId("quality", HTMLElement);
const button = byId("quality-button", HTMLButtonElement);
const label = byId("quality-now", HTMLElement);
const menu = byId("quality-menu", HTMLFieldSetElement);
const list = byId("quality-list", HTMLElement);

/** The menu of rungs; `choose` is told the viewer's wish, undefined for automatic. Call once. */
export function setUpQualityMenu(choose: (index: number | undefined) => void): QualityMenu {
  let ladder: Rung[] = [];
  let wish: number | undefined;
  let shown: number | undefined;

  function open(yes: boolean) {
    menu.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
    if (yes) list.querySelector<HTMLInputElement>("input:checked")?.focus();
  }

  function showLabel() {
    const rung = ladder.find(({ index }) => index === (wish ?? shown));
    const name = rung === undefined ? "" : nameOf(rung);
    label.textContent = wish !== undefined ? name : name === "" ? "Auto" : `Auto · ${name}`;
  }

  function choice(text: string, detail: string, index: number | undefined): HTMLElement {
    const radio = element("input", { type: "radio", name: "quality", checked: index === wish });
    radio.addEventListener("change", () => {
      wish = index;
      choose(index);
      showLabel();
    });
    return element("label", { className: "choice" }, radio, element("span", {}, text), element("small", {}, detail));
  }

  button.addEventListener("click", () => {
    open(menu.hidden);
  });
  list.addEventListener("click", (event) => {
    // Arrow keys move through the choices (and fire a click without a pointer); a real click or Enter is a decision.
    if (event.detail > 0) open(false);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Node && !place.contains(event.target)) open(false);
  });
  place.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !place.contains(event.relatedTarget)) open(false);
  });

  return {
    setLadder: (rungs) => {
      ladder = rungs;
      wish = undefined;
      place.hidden = rungs.length === 0;
      list.replaceChildren(
        choice("Auto", "follows the network", undefined),
        ...rungs.map((rung) => choice(nameOf(rung), bitRate(rung.bitsPerSecond), rung.index)),
      );
      showLabel();
    },
    setShown: (index) => {
      shown = index;
      showLabel();
    },
  };
}

function nameOf(rung: Rung): string {
  return rung.height > 0 ? `${rung.height}p` : bitRate(rung.bitsPerSecond);
}
