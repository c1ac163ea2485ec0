import { OffpeakError, refusal } from "./problem.js";
import { isPassing, patiently, pause, pauseBefore } from "./retry.js";

export interface UploadOptions {
  /** Kept with the source. A `File` has a name of its own. */
  filename?: string;
  /** An upload that was begun before, to go on with. */
  resume?: string;
  /** Told the id as soon as there is one: keep it to resume after a restart. */
  onBegun?: (id: string) => void;
  /** Bytes that are safe, and bytes of the whole file. */
  onProgress?: (safe: number, whole: number) => void;
  /** A cut costs a round trip and no bytes; proxies often refuse bodies over 100 MB. */
  requestBytes?: number;
  signal?: AbortSignal;
}

/** Sends a request with the token. */
export type Send = (path: string, init: RequestInit) => Promise<Response>;

const REQUEST_BYTES = 32 * 2 ** 20;
/** In a row, without one more byte arriving. */
const TRIES = 12;

/** Uploads with tus 1.0: whatever breaks on the way, it goes on where it stopped. The answer is the source's id. */
export async function upload(send: Send, data: Blob, options: UploadOptions): Promise<string> {
  const { signal } = options;
  let id = options.resume;
  let offset = id === undefined ? undefined : await ask(send, id, signal);
  if (id === undefined || offset === undefined) {
    id = await begin(send, data, options);
    offset = 0;
  }
  options.onBegun?.(id);
  let failures = 0;
  while (offset < data.size) {
    options.onProgress?.(offset, data.size);
    const before: number = offset;
    try {
      offset = await append(send, id, data.slice(offset, offset + (options.requestBytes ?? REQUEST_BYTES)), offset, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const isBehind = error instanceof OffpeakError && error.code === "wrong_offset";
      if (!isBehind && !isPassing(error)) throw error;
      if (++failures >= TRIES) throw error;
      await pause(pauseBefore(failures - 1, error), signal);
      const known = id;
      const safe = await patiently(TRIES, signal, () => ask(send, known, signal));
      if (safe === undefined) throw error;
      offset = safe;
    }
    if (offset > before) failures = 0;
  }
  options.onProgress?.(data.size, data.size);
  return id;
}

async function begin(send: Send, data: Blob, options: UploadOptions): Promise<string> {
  const name = options.filename ?? ("name" in data && typeof data.name === "string" ? data.name : undefined);
  const headers: Record<string, string> = {
    "tus-resumable": "1.0.0",
    "upload-length": String(data.size),
    "idempotency-key": crypto.randomUUID(),
  };
  if (name !== undefined) headers["upload-metadata"] = `filename ${base64(name)}`;
  const response = await patiently(TRIES, options.signal, () => ok(send("/v1/uploads", init("POST", headers, options.signal))));
  const id = response.headers.get("location")?.split("/").at(-1);
  if (id === undefined) throw new Error("the server began an upload and did not say which");
  return id;
}

/** How many bytes are safe; undefined when the upload is gone. */
async function ask(send: Send, id: string, signal: AbortSignal | undefined): Promise<number | undefined> {
  const response = await send(`/v1/uploads/${id}`, init("HEAD", { "tus-resumable": "1.0.0" }, signal));
  if (response.status === 404 || response.status === 410) return undefined;
  if (!response.ok) throw await refusal(response);
  return offsetIn(response);
}

async function append(send: Send, id: string, piece: Blob, offset: number, signal: AbortSignal | undefined): Promise<number> {
  const headers = {
    "tus-resumable": "1.0.0",
    "upload-offset": String(offset),
    "content-type": "application/offset+octet-stream",
  };
  return offsetIn(await ok(send(`/v1/uploads/${id}`, { ...init("PATCH", headers, signal), body: piece })));
}

function init(method: string, headers: Record<string, string>, signal: AbortSignal | undefined): RequestInit {
  return signal === undefined ? { method, headers } : { method, headers, signal };
}

async function ok(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (!response.ok) throw await refusal(response);
  return response;
}

function offsetIn(response: Response): number {
  const offset = Number(response.headers.get("upload-offset") ?? Number.NaN);
  if (!Number.isInteger(offset)) throw new Error("the server does not say how much has arrived");
  return offset;
}

/** Of any text, where `btoa` knows Latin letters only. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
