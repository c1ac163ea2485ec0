import { createStore, del, get, set, type UseStore } from "idb-keyval";
import type { Wishes } from "./queue";

/** What is kept of an upload beside its address, until it is over; only IndexedDB takes handles of files. */
export interface Kept {
  /** Opens the file again without asking for it, in browsers that have that. */
  handle?: FileSystemFileHandle | undefined;
  lastModified: number;
  wishes: Wishes;
}

let store: UseStore | undefined;
const uploads = () => (store ??= createStore("offpeak-uploads", "uploads"));

/** Some browsers refuse it in private windows, or on a full disk: then the file is asked for again. */
async function quietly<T>(does: () => Promise<T>): Promise<T | undefined> {
  try {
    return await does();
  } catch {
    return undefined;
  }
}

export function keep(url: string, kept: Kept): Promise<void> {
  return quietly(() => set(url, kept, uploads()));
}

export function recall(url: string): Promise<Kept | undefined> {
  return quietly(() => get<Kept>(url, uploads()));
}

export function forget(url: string): Promise<void> {
  return quietly(() => del(url, uploads()));
}

const lockOf = (url: string) => `offpeak-upload ${url}`;

/** Lets other tabs know that this one sends an upload, until what is returned is called or the tab is closed. */
export function hold(url: string): () => void {
  // Absent where the page came neither by https nor from this machine.
  if (!("locks" in navigator)) return () => undefined;
  let release: () => void = () => undefined;
  const isOver = new Promise<void>((resolve) => {
    release = resolve;
  });
  void quietly(() => navigator.locks.request(lockOf(url), () => isOver));
  return release;
}

/** Whether a tab sends this upload now, as far as the browser tells. */
export async function heldUploads(): Promise<(url: string) => boolean> {
  const held = "locks" in navigator ? ((await quietly(() => navigator.locks.query()))?.held ?? []) : [];
  const names = new Set(held.map(({ name }) => name));
  return (url) => names.has(lockOf(url));
}
