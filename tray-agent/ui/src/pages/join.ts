// Joining a farm by link or by code; servers that announce themselves on this network need not be typed.

import { allow, button, can, field, h, Outcome, say } from "../dom";
import { ask, call, on } from "../shell";
import { strings } from "../strings";
import type { Page } from "./page";

const words = strings.join;

export function join(): Page {
  const text = (example: string) =>
    h("input", { attributes: { type: "text", placeholder: example, autocomplete: "off", spellcheck: "false", autocapitalize: "off" } });
  const linkOrCode = text(words.linkExample);
  linkOrCode.required = true;
  const server = text(words.serverExample);
  const name = text("");
  const outcome = new Outcome();
  const submit = h("button", { class: "button primary", text: words.submit, attributes: { type: "submit" } });
  const warning = h("p", { class: "note", attributes: { role: "status" } });
  const serverField = field(words.server, server, words.serverHint);
  // What somebody clicked on elsewhere; filled in once, so that it can be changed.
  let offered: string | null = null;
  const isLink = () => /^\s*offpeak(:|\+)/.test(linkOrCode.value);
  linkOrCode.addEventListener("input", () => {
    // A link says where the server is; two addresses could only disagree.
    server.disabled = isLink();
    say(warning, linkOrCode.value === offered ? words.offered : "");
  });

  const send = async () => {
    allow(submit, false);
    submit.textContent = words.joining;
    const request = { type: "join", link_or_code: linkOrCode.value, server: server.disabled ? null : server.value, name: name.value } as const;
    // Where it works, the window goes to the status by itself.
    if (await outcome.of(ask(request))) {
      linkOrCode.value = "";
      say(warning, "");
    }
    allow(submit, true);
    submit.textContent = words.submit;
  };
  const form = h(
    "form",
    {
      class: "card form",
      on: {
        submit: (event) => {
          event.preventDefault();
          if (can(submit)) void send();
        },
      },
    },
    warning,
    field(words.linkOrCode, linkOrCode),
    serverField,
    field(words.name, name, words.nameHint),
    h("div", { class: "wishes" }, submit),
    outcome.element,
  );

  const list = h("ul", { class: "found", attributes: { "aria-live": "polite" } });
  const searching = h("p", { class: "soft searching", text: words.searching });
  const found = h(
    "section",
    { class: "card", attributes: { "aria-label": words.found } },
    h("h2", { text: words.found }),
    list,
    searching,
  );
  const problem = new Outcome();
  found.append(problem.element);
  const servers = new Map<string, HTMLElement>();
  on("server", ({ id, name: called, address }) => {
    servers.get(id)?.remove();
    servers.delete(id);
    if (address !== null) {
      const use = button(words.use, () => {
        server.disabled = false;
        server.value = address;
        problem.good(words.chosen(called));
        linkOrCode.focus();
      });
      use.setAttribute("aria-label", words.useThis(called));
      const row = h("li", {}, h("div", {}, h("strong", { text: called }), h("p", { class: "soft", text: address })), use);
      servers.set(id, row);
      list.append(row);
    }
    arrange();
  });
  // What need not be typed stands first; not under the hands of somebody who types already, nor before a link that says it all.
  const arrange = () => {
    say(searching, servers.size === 0 ? words.searching : "");
    if (servers.size === 0 || linkOrCode.value !== "" || server.value !== "") return;
    if (form.previousElementSibling !== found) form.before(found);
  };

  const element = h(
    "div",
    { class: "page" },
    h("h1", { text: words.title }),
    h("p", { class: "lead", text: words.lead }),
    form,
    found,
    h("p", { class: "soft", text: words.privacy }),
  );
  return {
    element,
    update: ({ offered_link: link, host_name }) => {
      name.placeholder = host_name;
      if (link === null || link === offered) return;
      offered = link;
      linkOrCode.value = link;
      server.disabled = true;
      say(warning, words.offered);
      submit.focus();
    },
    enter: () => {
      (offered !== null && linkOrCode.value === offered ? submit : linkOrCode).focus();
      // Those of the last time may be gone.
      servers.clear();
      list.replaceChildren();
      form.after(found);
      arrange();
      void problem.of(call("find_servers"));
    },
    leave: () => void call("stop_finding"),
  };
}
