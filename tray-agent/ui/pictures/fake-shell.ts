// Stands in for the shell, in the page: what `@tauri-apps/api` finds in a real window, with a desk behind it.

import type { FoundServer, Request } from "../src/shell";
import type { Desk } from "./desks";

export interface Fake {
  /** All that the window asked for, in turn. */
  asked: { command: string; values: Record<string, unknown> }[];
  tell: (event: string, payload: unknown) => void;
}

declare global {
  interface Window {
    fake: Fake;
    __TAURI_INTERNALS__: unknown;
  }
}

/** Goes into the page as text, so it uses nothing from outside. */
export function fakeShell({ snapshot, answers, log, servers }: Desk): void {
  const callbacks = new Map<number, (payload: unknown) => void>();
  const hearing: { event: string; handler: number }[] = [];
  const tell = (event: string, payload: unknown) => {
    for (const { event: heard, handler } of hearing) {
      if (heard === event) callbacks.get(handler)?.({ event, id: handler, payload });
    }
  };
  const asked: Fake["asked"] = [];
  const announce = (found: FoundServer[]) => {
    for (const server of found) tell("server", server);
  };
  const obey = (command: string, values: Record<string, unknown>): unknown => {
    switch (command) {
      case "plugin:event|listen":
        hearing.push(values as { event: string; handler: number });
        return hearing.length;
      case "snapshot":
        return snapshot;
      case "log_lines":
        return log;
      case "find_servers":
        setTimeout(announce, 0, servers);
        return null;
      case "ask":
        return answers[(values.request as Request).type] ?? { outcome: "done" };
      default:
        return null;
    }
  };
  window.__TAURI_INTERNALS__ = {
    transformCallback: (callback: (payload: unknown) => void) => {
      callbacks.set(callbacks.size + 1, callback);
      return callbacks.size;
    },
    invoke: (command: string, values: Record<string, unknown> = {}) => {
      if (!command.startsWith("plugin:")) asked.push({ command, values });
      return Promise.resolve(obey(command, values));
    },
  };
  window.fake = { asked, tell };
}
