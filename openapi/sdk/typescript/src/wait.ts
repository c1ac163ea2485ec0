import { isPassing, pause, pauseBefore } from "./retry.js";
import type { Job } from "./types.js";
import type { Send } from "./upload.js";

export interface WaitOptions {
  /** Told whenever something has changed. */
  onProgress?: (job: Job) => void;
  signal?: AbortSignal;
  /** A server that is restarted comes back in that time; the job goes on meanwhile. */
  outageSeconds?: number;
}

/** Where events do not get through, such as behind a proxy that buffers, progress still moves. */
const READ_EVERY_MS = 5000;
/** Events come in bursts: one reading tells of them all. */
const READ_AT_MOST_EVERY_MS = 250;
const OUTAGE_SECONDS = 600;

/** Follows a job to its end. Events only wake; what counts is what reading the job says. */
export async function wait(read: () => Promise<Job>, send: Send, id: string, options: WaitOptions): Promise<Job> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const bell = new Bell();
  const listening = listen(send, id, bell, signal);
  try {
    return await follow(read, bell, options);
  } finally {
    stop.abort();
    await listening;
  }
}

async function follow(read: () => Promise<Job>, bell: Bell, options: WaitOptions): Promise<Job> {
  let outage: number | undefined;
  for (let failures = 0; ; ) {
    try {
      const job = await read();
      outage = undefined;
      failures = 0;
      options.onProgress?.(job);
      if (job.ended_at != null) return job;
      await pause(READ_AT_MOST_EVERY_MS, options.signal);
      await bell.rung(READ_EVERY_MS, options.signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      outage ??= Date.now();
      if (!isPassing(error) || Date.now() - outage > (options.outageSeconds ?? OUTAGE_SECONDS) * 1000) throw error;
      await pause(pauseBefore(failures++, error), options.signal);
    }
  }
}

async function listen(send: Send, id: string, bell: Bell, signal: AbortSignal): Promise<void> {
  let last = "";
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (last !== "") headers["last-event-id"] = last;
      const response = await send(`/v1/jobs/${id}/events`, { headers, signal });
      if (!response.ok || response.body === null) throw new TypeError("no events");
      const decoder = new TextDecoder();
      let rest = "";
      for await (const chunk of response.body) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line.startsWith("id:")) last = line.slice(3).trim();
          if (line.startsWith("data:")) bell.ring();
        }
      }
    } catch {
      // Reading the job goes on meanwhile, so there is no hurry.
    }
    await pause(READ_EVERY_MS, signal).catch(() => undefined);
  }
}

/** Wakes one waiter; a ring while nobody waits wakes the next at once. */
class Bell {
  #rang = false;
  #wake: (() => void) | undefined;

  ring() {
    this.#rang = true;
    this.#wake?.();
  }

  async rung(limitMs: number, signal?: AbortSignal): Promise<void> {
    if (!this.#rang) {
      const over = new AbortController();
      const limit = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        pause(limitMs, limit),
      ]).finally(() => {
        this.#wake = undefined;
      });
      // Ends the timer that lost, whose rejection nobody waits for any more.
      over.abort();
    }
    this.#rang = false;
  }
}
