import { useSyncExternalStore } from "react";
import { exactTime, relativeTime } from "../lib/time";

/** One clock for all times on the page: it ticks while one is shown. */
const TICK_MS = 10_000;
let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = window.setInterval(() => {
      now = Date.now();
      for (const told of listeners) told();
    }, TICK_MS);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.clearInterval(timer);
  };
}

/** The present, to within ten seconds; the component is drawn again when it moves. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** How long ago something was; the exact time on hover and for screen readers. */
export function RelativeTime({ at, className }: { at: string | Date; className?: string }) {
  const time = new Date(at);
  const present = useNow();
  // What is younger than the last tick is not in the future.
  const isYoung = time.getTime() > present && time.getTime() < present + TICK_MS;
  const words = relativeTime(time, isYoung ? time : new Date(present));
  // The browser's own tooltip: a long list has hundreds of times, and each costs next to nothing.
  return (
    <time dateTime={time.toISOString()} title={exactTime(time)} className={className}>
      {words}
    </time>
  );
}
