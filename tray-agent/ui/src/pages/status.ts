// What this computer does, what its person wants, and what it has done so far.

import { button, h, Outcome, say } from "../dom";
import { clock, count, energy, sentence, span, video } from "../format";
import { show } from "../pictures";
import { ask, call, type Now, type Share, type Snapshot, type Work } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.status;
const SNOOZE_HOURS = [1, 3, 6, 12];

export function status(): Page {
  const picture = h("img", { class: "picture", attributes: { alt: "" } });
  const headline = h("h1");
  const reason = h("p", { class: "reason" });
  const time = h("p", { class: "soft" });
  const outcome = new Outcome();
  const give = (request: Parameters<typeof ask>[0]) => () => void outcome.of(ask(request));

  const snoozes = SNOOZE_HOURS.map((hours) => {
    const press = button(words.hoursShort(hours), give({ type: "snooze", seconds: hours * 3600 }));
    press.setAttribute("aria-label", `${words.snoozeFor} ${words.hours(hours)}`);
    return press;
  });
  const snooze = h(
    "div",
    { class: "joined", attributes: { role: "group", "aria-label": words.snoozeFor } },
    h("span", { text: words.snoozeFor, attributes: { "aria-hidden": "true" } }),
    ...snoozes,
  );
  const pause = button(words.pause, give({ type: "pause" }));
  const resume = button(words.resume, give({ type: "resume" }), "primary");
  const endSnooze = button(words.endSnooze, give({ type: "snooze", seconds: 0 }), "primary");
  const join = h("a", { class: "button primary", text: words.join, attributes: { href: "#join" } });
  const wishes = h("div", { class: "wishes" }, join, resume, endSnooze, snooze, pause);

  const rows = h("ul", { class: "work" });
  const work = h("section", { class: "card", attributes: { "aria-label": words.work } }, h("h2", { text: words.work }), rows);
  const [today, total] = [share(words.today), share(words.total)];
  const login = askLogin(outcome);

  const update = (snapshot: Snapshot) => {
    const { face, now } = snapshot;
    const running = snapshot.engine.is === "running" ? now : null;
    const farmless = running !== null && running.farm === null;
    show(picture, face.picture);
    say(headline, face.headline);
    say(reason, farmless && face.reason === "" ? words.notJoined : sentence(face.reason));
    say(time, running === null || farmless ? "" : timeOf(running));
    const state = running?.state ?? "";
    join.hidden = !farmless;
    resume.hidden = farmless || state !== "paused";
    endSnooze.hidden = farmless || state !== "snoozed";
    snooze.hidden = running === null || farmless || state === "paused" || state === "snoozed";
    pause.hidden = running === null || farmless || state === "paused";
    const items = running?.work ?? [];
    work.hidden = items.length === 0;
    updateWork(rows, items);
    today.update(snapshot.contribution.today);
    total.update(snapshot.contribution.total);
    // Whoever set the machine up may have answered.
    login.hidden = snapshot.settings.start_at_login !== null || snapshot.start_at_login || farmless;
  };

  const hero = h("section", { class: "card hero" }, picture, h("div", { class: "words" }, headline, reason, time), wishes, outcome.element);
  const element = h(
    "div",
    { class: "page" },
    hero,
    login,
    work,
    h(
      "section",
      { attributes: { "aria-label": words.contribution } },
      h("h2", { class: "above", text: words.contribution }),
      h("div", { class: "shares" }, today.element, total.element),
      h("details", {}, h("summary", { text: words.howEstimated }), h("p", { class: "soft", text: words.estimate })),
    ),
  );
  return { element, update };
}

function timeOf(now: Now): string {
  const since = words.for(span((Date.now() - Date.parse(now.since)) / 1000));
  // A snooze has its end in the headline.
  const until = now.until === undefined || now.state === "snoozed" ? "" : `, ${words.until(clock(now.until))}`;
  // Whoever is asked for help can look the code up.
  return `${since}${until}${now.code === undefined ? "" : ` · ${now.code}`}`;
}

function updateWork(list: HTMLElement, items: Work[]): void {
  while (list.children.length > items.length) list.lastElementChild?.remove();
  items.forEach((item, index) => {
    const kind = words.kinds[item.kind] ?? item.kind;
    let row = list.children.item(index);
    if (row === null) {
      row = h("li", {}, h("span", { class: "kind" }), h("span", { class: "soft job" }), h("progress"), h("span", { class: "soft count" }));
      list.append(row);
    }
    const part = (name: string) => row.querySelector<HTMLElement>(name);
    const [name, job, bar, pieces] = [part(".kind"), part(".job"), row.querySelector("progress"), part(".count")];
    if (name === null || job === null || bar === null || pieces === null) return;
    say(name, kind);
    say(job, item.job_id);
    bar.setAttribute("aria-label", kind);
    if (item.rows > 0) {
      bar.max = item.rows;
      bar.value = Math.min(item.rows_done, item.rows);
      say(pieces, words.pieces(Math.min(item.rows_done, item.rows), item.rows));
    } else {
      bar.removeAttribute("value");
      say(pieces, "");
    }
  });
}

function share(title: string): { element: HTMLElement; update: (share: Share) => void } {
  const minutes = h("strong");
  const watts = h("strong");
  const leases = h("p", { class: "soft" });
  const element = h(
    "section",
    { class: "card share", attributes: { "aria-label": title } },
    h("h3", { text: title }),
    h("p", { class: "figure" }, minutes, h("span", { text: words.video })),
    h("p", { class: "figure" }, watts, h("span", { text: words.energy })),
    leases,
  );
  const update = ({ video_seconds, energy_wh, leases: ended }: Share) => {
    say(minutes, video(video_seconds));
    say(watts, energy(energy_wh));
    say(leases, words.leases(count(ended)));
  };
  return { element, update };
}

function askLogin(outcome: Outcome): HTMLElement {
  const answer = (wanted: boolean) => () => void outcome.of(call("start_at_login", { wanted }));
  return h(
    "section",
    { class: "card ask", attributes: { "aria-label": words.askLogin } },
    h("div", {}, h("h2", { text: words.askLogin }), h("p", { class: "soft", text: words.askLoginWhy })),
    h("div", { class: "wishes" }, button(words.no, answer(false)), button(words.yes, answer(true), "primary")),
  );
}
