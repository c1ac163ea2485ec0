// What this computer does, what its person wants, and what it has done so far.

import { button, copier, h, Outcome, passFocus, say } from "../dom";
import { count, energy, moment, sentence, span, video } from "../format";
import { show } from "../pictures";
import { ask, call, type Now, type Share, type Snapshot, type Work } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.status;
const SNOOZE_HOURS = [1, 3, 6, 12];

export function status(): Page {
  const picture = h("img", { class: "picture", attributes: { alt: "" } });
  const headline = h("h1", { attributes: { tabindex: "-1" } });
  const reason = h("p", { class: "reason" });
  const time = h("p", { class: "soft" });
  const outcome = new Outcome();
  const give = (request: Parameters<typeof ask>[0]) => () => void outcome.of(ask(request));

  const snoozes = SNOOZE_HOURS.map((hours) => {
    const press = button(strings.units.hours(String(hours)), give({ type: "snooze", seconds: hours * 3600 }));
    press.title = `${words.snoozeFor} ${words.hours(hours)}`;
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
  const openLog = h("a", { class: "button primary", text: words.openLog, attributes: { href: "#log" } });
  let details = "";
  const copyDetails = copier(words.copyDetails, outcome, () => details);
  const wishes = h("div", { class: "wishes" }, openLog, copyDetails, join, resume, endSnooze, snooze, pause);

  const rows = h("ul", { class: "work" });
  const work = h("section", { class: "card", attributes: { "aria-label": words.work } }, h("h2", { text: words.work }), rows);
  const [today, total] = [share(words.today), share(words.total)];
  const login = askLogin(outcome);
  const updateIs = h("span");
  const newer = h("section", { class: "card line" }, updateIs, h("a", { text: words.seeUpdate, attributes: { href: "#settings" } }));
  const hero = h("section", { class: "card hero" }, picture, h("div", { class: "words" }, headline, reason, time), wishes, outcome.element);

  const update = (snapshot: Snapshot) => {
    const { face, now } = snapshot;
    const running = snapshot.engine.is === "running" ? now : null;
    const farmless = running !== null && running.farm === null;
    const needsHelp = face.picture === "attention";
    show(picture, face.picture);
    hero.classList.toggle("attention", needsHelp);
    say(headline, face.headline);
    const rests = running?.state === "paused" || running?.state === "snoozed";
    say(reason, farmless && face.reason === "" ? (rests ? strings.settings.notJoined : words.notJoined) : sentence(face.reason));
    // How long a farm has to wait is nobody's business where there is none.
    say(time, running === null || (farmless && !rests && !needsHelp) ? "" : timeOf(running));
    details = detailsOf(snapshot);
    passFocus(
      () => {
        const state = running?.state ?? "";
        // Whoever has to mend something is helped by neither snooze nor pause.
        openLog.hidden = copyDetails.hidden = !needsHelp;
        join.hidden = !farmless;
        for (const end of [resume, endSnooze]) end.classList.toggle("primary", !farmless);
        resume.hidden = state !== "paused";
        endSnooze.hidden = state !== "snoozed";
        snooze.hidden = running === null || farmless || needsHelp || rests;
        pause.hidden = running === null || farmless || needsHelp || state === "paused";
        // Whoever set the machine up may have answered.
        login.hidden = snapshot.settings.start_at_login !== null || snapshot.start_at_login || farmless || needsHelp;
      },
      resume,
      endSnooze,
      ...snoozes,
      openLog,
      join,
      headline,
    );
    const items = running?.work ?? [];
    work.hidden = items.length === 0;
    updateWork(rows, items);
    today.update(snapshot.contribution.today);
    total.update(snapshot.contribution.total);
    newer.hidden = snapshot.update.is !== "available";
    if (snapshot.update.is === "available") say(updateIs, words.updateIsThere(snapshot.update.version));
  };

  const element = h(
    "div",
    { class: "page" },
    hero,
    newer,
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
  const since = words.since(moment(now.since), span((Date.now() - Date.parse(now.since)) / 1000));
  // A snooze has its end in the headline.
  const until = now.until === undefined || now.state === "snoozed" ? "" : `, ${words.until(moment(now.until))}`;
  // Whoever is asked for help can look the code up.
  return `${since}${until}${now.code === undefined ? "" : ` · ${now.code}`}`;
}

/** For whoever is asked for help: no names of people or of films are in it. */
function detailsOf({ version, engine, face, now }: Snapshot): string {
  return JSON.stringify({ version, engine, headline: face.headline, reason: face.reason, code: now?.code, state: now?.state, since: now?.since, farm: now?.farm }, null, 2);
}

function updateWork(list: HTMLElement, items: Work[]): void {
  while (list.children.length > items.length) list.lastElementChild?.remove();
  items.forEach((item, index) => {
    const kind = words.kinds[item.kind] ?? item.kind;
    let row = list.children.item(index);
    if (row === null) {
      row = h("li", {}, h("span", { class: "kind" }), h("progress"), h("span", { class: "soft count" }));
      list.append(row);
    }
    const part = (name: string) => row.querySelector<HTMLElement>(name);
    const [name, bar, segments] = [part(".kind"), row.querySelector("progress"), part(".count")];
    if (name === null || bar === null || segments === null) return;
    say(name, kind);
    // Only whoever looks into something needs it.
    if (row instanceof HTMLElement) row.title = item.job_id;
    bar.setAttribute("aria-label", kind);
    if (item.rows > 0) {
      bar.max = item.rows;
      bar.value = Math.min(item.rows_done, item.rows);
      say(segments, words.segments(Math.min(item.rows_done, item.rows), item.rows));
    } else {
      bar.removeAttribute("value");
      say(segments, "");
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
    say(leases, words.tasks(count(ended)));
  };
  return { element, update };
}

function askLogin(outcome: Outcome): HTMLElement {
  const answer = (wanted: boolean) => () =>
    void outcome.of(call("start_at_login", { wanted })).then((done) => {
      if (done) outcome.good(words.answered);
    });
  return h(
    "section",
    { class: "card line ask", attributes: { "aria-label": words.askLogin } },
    h("h2", { text: words.askLogin }),
    h("div", { class: "wishes" }, button(words.no, answer(false), "small"), button(words.yes, answer(true), "small primary")),
  );
}
