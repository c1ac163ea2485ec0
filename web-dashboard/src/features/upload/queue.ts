import { useSyncExternalStore } from "react";
import type { Upload } from "tus-js-client";
import { answer, api, OffpeakError, once } from "../../lib/api";
import { chosenTeam } from "../../lib/team";
import { forget, heldUploads, hold, keep } from "./kept";
import type { Picked } from "./picked";
import { discard, type Unfinished } from "./unfinished";

/** How a job is made of what was uploaded. */
export interface Wishes {
  profile: string;
  priority: number;
  /** Undefined for whoever has only one. */
  team?: string | undefined;
}

export type ItemState = "waiting" | "uploading" | "paused" | "creating" | "done" | "failed";

/** One file or one address on its way to a job. */
export interface Item {
  id: string;
  name: string;
  /** Bytes of the file; undefined for an address, whose bytes a machine fetches. */
  bytes?: number;
  sent: number;
  bytesPerSecond: number;
  state: ItemState;
  error?: unknown;
  /** The job, once it is made. */
  job?: string;
  wishes: Wishes;
  /** It goes on where it had stopped. */
  resumed: boolean;
  /** Where its bytes go, once that is known. */
  url?: string;
  /** The upload, once all of it is there: what is left to do is to make the job. */
  arrived?: string;
}

/** Files at a time: one fills the line, two hide the pauses between files. */
const AT_ONCE = 2;
/** A cut costs a round trip and no bytes; proxies often refuse larger bodies. */
const CHUNK_BYTES = 32 * 2 ** 20;
const RETRY_AFTER_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];
/** Speed is measured over so long, so that it does not flicker. */
const SPEED_OVER_MS = 4000;

type Source = { kind: "file"; picked: Picked; before?: Unfinished } | { kind: "url"; url: string };

let items: readonly Item[] = [];
const sources = new Map<string, Source>();
const running = new Map<string, Upload>();
/** What tells other tabs that an item is being sent no longer. */
const holds = new Map<string, () => void>();
const speeds = new Map<string, { at: number; sent: number }[]>();
const listeners = new Set<() => void>();

/** The queue lives as long as the page is open, whichever part of the dashboard is shown. */
export function useQueue(): readonly Item[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => items,
  );
}

export function addFiles(files: readonly Picked[], wishes: Wishes) {
  add(
    files.map((picked) => ({ source: { kind: "file", picked }, item: { name: picked.file.name, bytes: picked.file.size } })),
    wishes,
  );
}

/** Goes on with what was begun before the page was closed, as it was wished for then. */
export function addUnfinished(before: Unfinished, picked: Picked, usual: Wishes) {
  const { name, bytes, url, kept } = before;
  add([{ source: { kind: "file", picked, before }, item: { name, bytes, url } }], kept?.wishes ?? usual);
}

export function addAddresses(urls: readonly string[], wishes: Wishes) {
  add(
    urls.map((url) => ({ source: { kind: "url", url }, item: { name: url } })),
    wishes,
  );
}

function add(wanted: { source: Source; item: Pick<Item, "name" | "bytes" | "url"> }[], { team = chosenTeam(), ...others }: Wishes) {
  // Whichever team is chosen when its turn comes.
  const wishes = { ...others, team };
  const fresh = wanted.map(({ source, item }): Item => {
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    sources.set(id, source);
    return { ...item, id, sent: 0, bytesPerSecond: 0, state: "waiting", wishes, resumed: false };
  });
  set([...items, ...fresh]);
  next();
}

/** Stops sending for now. */
export function pause(id: string) {
  void running.get(id)?.abort();
  running.delete(id);
  letGo(id);
  change(id, { state: "paused", bytesPerSecond: 0 });
  next();
}

/** Goes on with what was paused or has failed. */
export function goOn(id: string) {
  change(id, { state: "waiting", error: undefined });
  next();
}

/** Forgets an item; what has arrived of it is removed from the server. */
export function drop(id: string) {
  void running.get(id)?.abort();
  running.delete(id);
  const item = items.find((item) => item.id === id);
  if (item?.url !== undefined && item.job === undefined) {
    // The server forgets it by itself after a while, should it not hear of this.
    discard(item.url, item.wishes.team).catch(() => undefined);
  }
  letGo(id);
  sources.delete(id);
  speeds.delete(id);
  set(items.filter((item) => item.id !== id));
  next();
}

/** Clears away what is done. */
export function clearDone() {
  set(items.filter(({ state }) => state !== "done"));
}

function next() {
  const busy = items.filter(({ state }) => state === "uploading" || state === "creating").length;
  for (const item of items.filter(({ state }) => state === "waiting").slice(0, Math.max(0, AT_ONCE - busy))) void start(item);
}

async function start({ id, wishes, arrived }: Item) {
  const source = sources.get(id);
  if (source === undefined) return;
  if (source.kind === "url") {
    change(id, { state: "creating" });
    await makeJob(id, { url: source.url });
    return;
  }
  if (arrived !== undefined) {
    change(id, { state: "creating" });
    await makeJob(id, { upload: arrived });
    return;
  }
  change(id, { state: "uploading" });
  // Loaded with the first file: nobody else needs it.
  const tus = await import("tus-js-client");
  const { file, handle } = source.picked;
  const upload = new tus.Upload(file, {
    endpoint: new URL("/v1/uploads", location.origin).href,
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRY_AFTER_MS,
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, filetype: file.type },
    headers: wishes.team === undefined ? {} : { "Offpeak-Team": wishes.team },
    onUploadUrlAvailable: () => {
      const url = upload.url;
      if (url === null) return;
      change(id, { url });
      void keep(url, { handle, lastModified: file.lastModified, wishes });
      letGo(id);
      holds.set(id, hold(url));
    },
    onProgress: (sent) => {
      change(id, { sent, bytesPerSecond: speed(id, sent) });
    },
    onError: (error) => {
      running.delete(id);
      letGo(id);
      change(id, { state: "failed", error: refusal(error), bytesPerSecond: 0 });
      next();
    },
    onSuccess: () => {
      running.delete(id);
      letGo(id);
      const { url } = upload;
      if (url === null) return;
      void forget(url);
      const arrived = url.split("/").at(-1) ?? "";
      change(id, { state: "creating", arrived, bytesPerSecond: 0 });
      void makeJob(id, { upload: arrived });
    },
  });
  running.set(id, upload);
  const before = source.before?.previous ?? (await begunBefore(id, upload));
  if (before !== undefined) {
    upload.resumeFromPreviousUpload(before);
    change(id, { resumed: true });
  }
  // It may have been dropped or paused meanwhile.
  if (running.get(id) === upload) upload.start();
}

/** What was begun of the same file, unless somebody goes on with it already: the same film may be wanted twice. */
async function begunBefore(id: string, upload: Upload) {
  const [all, isHeld] = [await upload.findPreviousUploads(), await heldUploads()];
  const taken = (url: string | null) => url !== null && items.some((other) => other.id !== id && other.url === url && other.state !== "done");
  const own = items.find((item) => item.id === id)?.url;
  return all.find(({ uploadUrl }) => uploadUrl === own) ?? all.find(({ uploadUrl: url }) => url !== null && !taken(url) && !isHeld(url));
}

function letGo(id: string) {
  holds.get(id)?.();
  holds.delete(id);
}

async function makeJob(id: string, source: { upload: string } | { url: string }) {
  const item = items.find((item) => item.id === id);
  if (item === undefined) return;
  const { profile, priority, team } = item.wishes;
  const headers = team === undefined ? {} : { "Offpeak-Team": team };
  try {
    const job = await answer(api.POST("/v1/jobs", { params: once(), headers, body: { source, profile, priority } }));
    change(id, { state: "done", job: job.id });
  } catch (error) {
    change(id, { state: "failed", error });
  }
  next();
}

/** What the server said about an upload, from the words of the library. */
function refusal(error: unknown): unknown {
  const response = typeof error === "object" && error !== null && "originalResponse" in error ? (error.originalResponse as { getBody: () => string } | null) : null;
  try {
    const problem: unknown = JSON.parse(response?.getBody() ?? "");
    if (typeof problem === "object" && problem !== null && "code" in problem) return new OffpeakError(problem as OffpeakError["problem"]);
  } catch {
    // It did not answer in problems.
  }
  return response === null ? new TypeError("the server does not answer") : error;
}

function speed(id: string, sent: number): number {
  const now = performance.now();
  const points = [...(speeds.get(id) ?? []), { at: now, sent }].filter(({ at }) => at > now - SPEED_OVER_MS);
  speeds.set(id, points);
  const first = points[0];
  return first === undefined || now - first.at < 250 ? 0 : ((sent - first.sent) / (now - first.at)) * 1000;
}

function change(id: string, to: Partial<Item>) {
  set(items.map((item) => (item.id === id ? { ...item, ...to } : item)));
}

function set(next: readonly Item[]) {
  items = next;
  for (const listener of listeners) listener();
}

// Closing the page in the middle is safe, yet the rest would not be sent.
window.addEventListener("beforeunload", (event) => {
  if (items.some(({ state }) => state === "uploading" || state === "waiting" || state === "creating")) event.preventDefault();
});
