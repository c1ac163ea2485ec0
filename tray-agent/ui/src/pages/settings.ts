// What the shell itself does: starting, telling, updating; and the farm it belongs to.

import { allow, button, h, Outcome, passFocus, say, toggle } from "../dom";
import { ask, call, type Snapshot, type Update } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.settings;

export function settings(): Page {
  const outcome = new Outcome();
  const set = (command: string) => (wanted: boolean) => void outcome.of(call(command, { wanted }));
  const login = toggle(words.login, words.loginWhy, set("start_at_login"));
  const notifications = toggle(words.notifications, words.notificationsWhy, set("notifications"));

  const farm = h("p");
  const join = h("a", { class: "button", text: strings.status.join, attributes: { href: "#join" } });
  const leave = button(words.leave, () => {
    ask_.hidden = false;
    farmButtons.hidden = true;
    stay.focus();
  });
  const done = () => {
    ask_.hidden = true;
    farmButtons.hidden = false;
  };
  const stay = button(words.leaveNo, () => {
    done();
    leave.focus();
  });
  const really = button(words.leaveYes, () => {
    done();
    leave.focus();
    void outcome.of(ask({ type: "leave" }));
  }, "danger");
  const ask_ = h("div", { class: "sure", attributes: { role: "alert" } }, h("p", { text: words.leaveSure }), h("div", { class: "wishes" }, stay, really));
  ask_.hidden = true;
  const farmButtons = h("div", { class: "wishes" }, join, leave);

  const version = h("p", { attributes: { role: "status", tabindex: "-1" } });
  const notes = h("p", { class: "soft" });
  const look = button(words.look, () => void outcome.of(call("look_for_update")));
  const install = button(words.install, () => void outcome.of(call("install_update")), "primary");

  const update = (snapshot: Snapshot) => {
    login.input.checked = snapshot.start_at_login;
    notifications.input.checked = snapshot.settings.notifications;
    const joined = snapshot.now?.farm ?? null;
    say(farm, joined === null ? words.notJoined : words.joined(joined.server.replace(/\/$/, ""), joined.agent_name));
    passFocus(
      () => {
        if (joined === null) done();
        join.hidden = joined !== null;
        leave.hidden = joined === null;
      },
      join,
      leave,
    );
    say(version, inWords(snapshot.update));
    say(notes, snapshot.update.is === "available" ? snapshot.update.notes : "");
    passFocus(
      () => {
        install.hidden = snapshot.update.is !== "available";
        // Where there is no place to look at, there is nothing to press.
        look.hidden = ["available", "installing", "elsewhere"].includes(snapshot.update.is);
      },
      install,
      look,
      version,
    );
    allow(look, snapshot.update.is !== "looking");
  };
  const section = (title: string, ...children: HTMLElement[]) =>
    h("section", { class: "card", attributes: { "aria-label": title } }, h("h2", { text: title }), ...children);
  const element = h(
    "div",
    { class: "page" },
    h("h1", { text: words.title }),
    outcome.element,
    h("section", { class: "card rows" }, login.row, notifications.row),
    section(words.farm, farm, ask_, farmButtons),
    section(words.update, version, notes, h("div", { class: "wishes" }, look, install)),
  );
  return { element, update };
}

function inWords(update: Update): string {
  const said = words.updates;
  switch (update.is) {
    case "available":
      return said.available(update.version);
    case "failed":
      return said.failed(update.why);
    case "not_installed":
      return said.notInstalled(update.why);
    case "unknown":
    case "elsewhere":
    case "looking":
    case "newest":
    case "installing":
      return said[update.is];
  }
}
