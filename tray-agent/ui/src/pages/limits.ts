// How much of the computer the farm may have. The policy's value stands beside each limit, and no slider goes beyond it.

import { allow, button, can, h, Outcome, say, toggle } from "../dom";
import { memory, rate, schedule, span } from "../format";
import { ask, type Limits, type Now, type Snapshot } from "../shell";
import { strings } from "../strings";
import { hoursEditor } from "./hours";
import type { Page } from "./page";

const words = strings.limits;
const MEMORY_STEP = 256;
const MEGABIT = 1e6;
const NONE: Limits = {
  max_cores: null,
  max_memory_mib: null,
  max_bits_per_second: null,
  start_after_idle_seconds: null,
  mains_only: false,
  unmetered_only: false,
  schedule: [],
};

export function limits(): Page {
  let now: Now | null = null;
  let isDirty = false;
  // What the engine said of limits when the fields were last filled with that. It says the same once a second while it works, and
  // whoever stands in a field shall not lose it.
  let filled = "";
  const outcome = new Outcome();
  const changed = () => {
    isDirty = true;
    outcome.clear();
    allow(save, true);
    allow(reset, true);
    labels();
  };

  const cores = slider("limit-cores", words.cores, changed);
  const ram = slider("limit-memory", words.memory, changed);
  const network = number("limit-network", words.network, words.networkUnit, changed);
  const idle = number("limit-idle", words.idle, words.idleUnit, changed);
  const mains = toggle(words.mains, words.mainsWhy, changed);
  const unmetered = toggle(words.unmetered, words.unmeteredWhy, changed);
  const hours = hoursEditor(changed);
  const policyHours = h("p", { class: "hint" });
  const save = h("button", { class: "button primary", text: words.save, attributes: { type: "submit" } });
  const reset = button(words.reset, () => {
    if (now !== null) void store(now, NONE);
  });

  function labels(): void {
    if (now === null) return;
    const most = mostCores(now);
    say(cores.output, words.coresOf(Number(cores.input.value)));
    say(cores.hint, now.policy.max_cores === null ? words.machine(words.coresOf(most)) : words.policy(words.coresOf(most)));
    say(ram.output, memory(Number(ram.input.value)));
    const mostMemory = mostMemoryOf(now);
    say(ram.hint, now.policy.max_memory_mib === null ? words.machine(memory(mostMemory)) : words.policy(memory(mostMemory)));
    say(network.hint, now.policy.max_bits_per_second === null ? words.noPolicy : words.policy(rate(now.policy.max_bits_per_second)));
    say(idle.hint, words.policyFrom(span(now.policy.start_after_idle_seconds)));
    say(mains.why, now.policy.mains_only ? words.byPolicy : words.mainsWhy);
    say(unmetered.why, now.policy.unmetered_only ? words.byPolicy : words.unmeteredWhy);
    say(policyHours, `${words.policyHours(schedule(now.policy.schedule))} ${words.scheduleLead}`);
    for (const { input, output } of [cores, ram]) {
      // The bare number says nothing about MiB.
      input.setAttribute("aria-valuetext", output.value);
      const { min, max, value } = input;
      input.style.setProperty("--filled", `${((Number(value) - Number(min)) / Math.max(1, Number(max) - Number(min))) * 100}%`);
    }
  }

  function fill(now: Now, own: Limits): void {
    const { policy } = now;
    const most = mostCores(now);
    set(cores.input, 1, most, 1, Math.min(own.max_cores ?? most, most));
    const mostMemory = mostMemoryOf(now);
    set(ram.input, MEMORY_STEP, mostMemory, MEMORY_STEP, Math.min(own.max_memory_mib ?? mostMemory, mostMemory));
    const mostRate = policy.max_bits_per_second;
    network.input.min = "0.1";
    network.input.step = "any";
    if (mostRate === null) network.input.removeAttribute("max");
    else network.input.max = String(mostRate / MEGABIT);
    network.input.placeholder = mostRate === null ? words.networkEmpty : String(mostRate / MEGABIT);
    network.input.value = own.max_bits_per_second === null ? "" : String(own.max_bits_per_second / MEGABIT);
    const least = Math.ceil(policy.start_after_idle_seconds / 60);
    set(idle.input, least, 1440, 1, Math.max(least, Math.ceil((own.start_after_idle_seconds ?? 0) / 60)));
    mains.input.checked = own.mains_only || policy.mains_only;
    mains.input.disabled = policy.mains_only;
    unmetered.input.checked = own.unmetered_only || policy.unmetered_only;
    unmetered.input.disabled = policy.unmetered_only;
    hours.fill(own.schedule);
    allow(save, false);
    allow(reset, JSON.stringify(own) !== JSON.stringify({ ...own, ...NONE }));
    labels();
  }

  function asked(now: Now): Limits {
    const idleSeconds = Number(idle.input.value) * 60;
    // At its upper end a slider means all that there is, which need not be a whole step and may become more.
    const asked = ({ value, max }: HTMLInputElement) => (value === max ? null : Number(value));
    return {
      max_cores: asked(cores.input),
      max_memory_mib: asked(ram.input),
      max_bits_per_second: network.input.value === "" ? null : Math.round(Number(network.input.value) * MEGABIT),
      // At its lower end the field means the policy's seconds, which need not be whole minutes.
      start_after_idle_seconds: idle.input.value === idle.input.min ? null : idleSeconds,
      // What the policy forces is not what its person asked for.
      mains_only: mains.input.disabled ? now.limits.mains_only : mains.input.checked,
      unmetered_only: unmetered.input.disabled ? now.limits.unmetered_only : unmetered.input.checked,
      schedule: hours.read(),
    };
  }

  async function store(now: Now, wanted: Limits): Promise<void> {
    if (!(await outcome.of(ask({ type: "set_limits", limits: wanted })))) return;
    isDirty = false;
    // The answer comes before the engine says what holds now; until then, what was asked for.
    fill(now, wanted);
    outcome.good(words.saved);
  }

  const form = h(
    "form",
    {
      on: {
        submit: (event) => {
          event.preventDefault();
          if (now !== null && can(save) && hours.areRight()) void store(now, asked(now));
        },
      },
    },
    h("section", { class: "card rows" }, cores.row, ram.row, network.row),
    h("section", { class: "card rows" }, idle.row, mains.row, unmetered.row),
    h("section", { class: "card", attributes: { "aria-label": words.schedule } }, h("h2", { text: words.schedule }), policyHours, hours.element),
    h("div", { class: "wishes end" }, outcome.element, reset, save),
  );
  const missing = h("p", { class: "card soft", text: words.notNow });
  const element = h("div", { class: "page" }, h("h1", { text: words.title }), h("p", { class: "lead", text: words.lead }), missing, form);
  const update = (snapshot: Snapshot) => {
    now = snapshot.now;
    form.hidden = now === null;
    missing.hidden = now !== null;
    if (now === null) return;
    const said = JSON.stringify([now.limits, now.policy, now.machine_cores, now.machine_memory_mib]);
    // What somebody is changing is not changed under their hands.
    if (isDirty || said === filled) return;
    filled = said;
    fill(now, now.limits);
  };
  return { element, update };
}

function mostCores({ policy, machine_cores }: Pick<Now, "policy" | "machine_cores">): number {
  return Math.min(policy.max_cores ?? machine_cores, machine_cores);
}

function mostMemoryOf({ policy, machine_memory_mib }: Pick<Now, "policy" | "machine_memory_mib">): number {
  const most = Math.min(policy.max_memory_mib ?? machine_memory_mib, machine_memory_mib);
  return Math.max(MEMORY_STEP, Math.floor(most / MEMORY_STEP) * MEMORY_STEP);
}

function set(input: HTMLInputElement, min: number, max: number, step: number, value: number): void {
  [input.min, input.max, input.step, input.value] = [String(min), String(max), String(step), String(value)];
}

function slider(id: string, name: string, changed: () => void) {
  const input = h("input", { attributes: { type: "range", id, "aria-describedby": `${id}-hint` }, on: { input: changed } });
  const output = h("output", { attributes: { for: id } });
  const hint = h("p", { class: "hint", attributes: { id: `${id}-hint` } });
  const row = h("div", { class: "row" }, h("div", {}, h("label", { text: name, attributes: { for: id } }), hint), h("div", { class: "slide" }, input, output));
  return { row, input, output, hint };
}

function number(id: string, name: string, unit: string, changed: () => void) {
  const attributes = { type: "number", id, "aria-labelledby": `${id}-name ${id}-unit`, "aria-describedby": `${id}-hint` };
  const input = h("input", { attributes, on: { input: changed } });
  const hint = h("p", { class: "hint", attributes: { id: `${id}-hint` } });
  const row = h("div", { class: "row" }, h("div", {}, h("label", { text: name, attributes: { for: id, id: `${id}-name` } }), hint), h("div", { class: "unit" }, input, h("span", { text: unit, attributes: { id: `${id}-unit` } })));
  return { row, input, hint };
}
