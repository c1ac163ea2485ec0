import { useSyncExternalStore } from "react";

const KEY = "offpeak.team";
const listeners = new Set<() => void>();

/** The team that requests are about, if one was chosen; the server knows what to do for those who have only one. */
export function chosenTeam(): string | undefined {
  return localStorage.getItem(KEY) ?? undefined;
}

export function chooseTeam(team: string | undefined) {
  if (team === undefined) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, team);
  for (const listener of listeners) listener();
}

export function useChosenTeam(): string | undefined {
  return useSyncExternalStore(subscribe, chosenTeam);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
