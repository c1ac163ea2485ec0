import { useEffect, useEffectEvent, useState } from "react";

/** How often a page asks while something moves and nobody tells it. */
export const POLL_MS = 3000;
/** The same for what changes slowly. */
export const SLOW_POLL_MS = 15_000;

export type Liveness = "connecting" | "live" | "polling";

/**
 * Follows an address of server-sent events and calls `onEvent` with each message's JSON. The browser connects again by itself and
 * says where it stopped; while there is no connection the caller should poll: `Liveness` says so.
 *
 * @param kinds names of events to listen to, beside unnamed ones
 */
export function useServerEvents(address: string | undefined, onEvent: (data: unknown, kind: string) => void, kinds: readonly string[] = []): Liveness {
  const [liveness, setLiveness] = useState<Liveness>("connecting");
  const told = useEffectEvent(onEvent);
  const names = kinds.join(" ");

  useEffect(() => {
    if (address === undefined) return;
    const source = new EventSource(address);
    const receive = (event: MessageEvent<string>) => {
      let data: unknown;
      try {
        data = JSON.parse(event.data);
      } catch {
        return;
      }
      told(data, event.type);
    };
    source.addEventListener("open", () => {
      setLiveness("live");
    });
    source.addEventListener("error", () => {
      setLiveness("polling");
    });
    for (const name of ["message", ...names.split(" ").filter(Boolean)]) source.addEventListener(name, receive);
    return () => {
      source.close();
    };
  }, [address, names]);

  return liveness;
}
