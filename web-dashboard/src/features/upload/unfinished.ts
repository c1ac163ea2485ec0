import { queryOptions } from "@tanstack/react-query";
import type { PreviousUpload } from "tus-js-client";
import { sessionFetch } from "../../lib/api";
import { POLL_MS } from "../../lib/live";
import { forget, heldUploads, type Kept, recall } from "./kept";

/** An upload that was begun in this browser and never ended. */
export interface Unfinished {
  url: string;
  /** As tus-js-client remembers it. */
  previous: PreviousUpload;
  name: string;
  bytes: number;
  /** What has arrived; undefined when the server does not say. */
  sent: number | undefined;
  begunAt: string;
  kept: Kept | undefined;
  /** Another tab sends it just now. */
  elsewhere: boolean;
}

/** All that this browser has not finished, youngest first, but for what is in the queue of this page. */
export function unfinishedQuery(queued: readonly string[]) {
  return queryOptions({
    queryKey: ["unfinished-uploads", queued],
    queryFn: async () => {
      const { defaultOptions } = await import("tus-js-client");
      const begun = await defaultOptions.urlStorage.findAllUploads();
      const isHeld = await heldUploads();
      const all = begun.map(async (previous): Promise<Unfinished | undefined> => {
        const { uploadUrl, size, metadata, creationTime } = previous;
        const url = uploadUrl ?? "";
        if (url === "" || queued.includes(url)) return undefined;
        const kept = await recall(url);
        const sent = await arrived(url, kept?.wishes.team);
        if (sent === "gone") {
          await forgetUpload(url);
          return undefined;
        }
        if (sent === "unknown") return undefined;
        const begunAt = new Date(creationTime).toISOString();
        return { url, previous, name: metadata.filename ?? "", bytes: size ?? 0, sent, begunAt, kept, elsewhere: isHeld(url) };
      });
      return (await Promise.all(all)).filter((one) => one !== undefined).sort((a, b) => (a.begunAt < b.begunAt ? 1 : -1));
    },
    // What another tab sends moves on, or that tab is closed.
    refetchInterval: ({ state }) => (state.data?.some(({ elsewhere }) => elsewhere) === true ? POLL_MS : false),
  });
}

const asTus = (team: string | undefined) => ({ "Tus-Resumable": "1.0.0", ...(team === undefined ? {} : { "Offpeak-Team": team }) });

/**
 * How much of an upload the server has: `gone` when it was given up or has expired, `unknown` when it is not one of ours (somebody
 * else may have used this browser), undefined when the server does not answer.
 */
async function arrived(url: string, team: string | undefined): Promise<number | "gone" | "unknown" | undefined> {
  try {
    const response = await sessionFetch(url, { method: "HEAD", headers: asTus(team) });
    if (response.status === 410) return "gone";
    if (response.status === 403 || response.status === 404) return "unknown";
    const offset = response.headers.get("upload-offset");
    return response.ok && offset !== null ? Number(offset) : undefined;
  } catch {
    return undefined;
  }
}

/** Gives an upload up: what has arrived of it is removed from the server, and this browser forgets it. */
export async function discard(url: string, team: string | undefined) {
  const response = await sessionFetch(url, { method: "DELETE", headers: asTus(team) });
  // Already gone is as good.
  if (!response.ok && response.status !== 404 && response.status !== 410) throw new TypeError(`The server answered ${response.status}.`);
  await forgetUpload(url);
}

async function forgetUpload(url: string) {
  await forget(url);
  const { defaultOptions } = await import("tus-js-client");
  const all = await defaultOptions.urlStorage.findAllUploads();
  for (const { urlStorageKey } of all.filter(({ uploadUrl }) => uploadUrl === url)) await defaultOptions.urlStorage.removeUpload(urlStorageKey);
}

/** Why this is not the file that an upload was begun with; undefined when it is. */
export function misfit({ name, bytes, kept }: Pick<Unfinished, "name" | "bytes" | "kept">, file: File): string | undefined {
  if (file.name !== name) return `It was ${name} that was begun, and this is ${file.name}.`;
  if (file.size !== bytes) return "The file has another length than the one that was begun.";
  if (kept !== undefined && file.lastModified !== kept.lastModified) {
    return "The file was changed after the upload was begun. Discard what has arrived, and upload it anew.";
  }
  return undefined;
}
