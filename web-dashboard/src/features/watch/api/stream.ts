import { Offpeak, type Problem } from "@offpeak/sdk";
import { readMultivariant, readReadiness, type Multivariant, type Readiness } from "./playlist";

/** What the server says about a job's stream at one moment. */
export type StreamAnswer =
  | { kind: "playable"; stream: Multivariant }
  /** The job is known, its first segments are not there yet. */
  | { kind: "waiting" }
  | { kind: "missing" }
  | { kind: "failed"; reason: string }
  /** The job plays only from a signed address, and this is none, or not any more. */
  | { kind: "refused"; reason: string }
  /** No answer, or one that makes no sense: worth asking again. */
  | { kind: "unreachable" };

export type ReadinessAnswer = { kind: "readiness"; readiness: Readiness } | Exclude<StreamAnswer, { kind: "playable" }>;

export function hlsAddress(job: string): string {
  return new URL(`/media/${encodeURIComponent(job)}/multivariant.m3u8${signature(location.search)}`, location.href).href;
}

export function dashAddress(job: string): string {
  return new URL(`/media/${encodeURIComponent(job)}/manifest.mpd${signature(location.search)}`, location.href).href;
}

/** What makes the address of a page a signed one, for the media that the page plays; nothing if it is not. */
export function signature(query: string): string {
  const given = new URLSearchParams(query);
  const [expires, signed] = [given.get("expires"), given.get("signature")];
  return expires === null || signed === null ? "" : `?${new URLSearchParams({ expires, signature: signed }).toString()}`;
}

/** Asks for the multivariant playlist, which exists from the moment on that a player could start. */
export async function askForStream(job: string): Promise<StreamAnswer> {
  const address = hlsAddress(job);
  const answer = await readText(job, "multivariant.m3u8");
  if (answer.kind !== "text") return answer;
  const stream = readMultivariant(answer.text, address);
  return stream === undefined ? { kind: "unreachable" } : { kind: "playable", stream };
}

/** Asks how far the encoding of a playable job is. */
export async function askForReadiness(mediaPlaylist: string): Promise<ReadinessAnswer> {
  const [, , job = "", path = ""] = new URL(mediaPlaylist).pathname.split("/").map(decodeURIComponent);
  const answer = await readText(job, path);
  return answer.kind === "text" ? { kind: "readiness", readiness: readReadiness(answer.text) } : answer;
}

/** Bytes of a file, if the server tells. */
export async function askForSize(address: string): Promise<number | undefined> {
  try {
    const answer = await fetch(address, { method: "HEAD" });
    const bytes = Number(answer.headers.get("content-length"));
    return answer.ok && bytes > 0 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

type TextAnswer = { kind: "text"; text: string } | Exclude<StreamAnswer, { kind: "playable" }>;

/** Reads a playlist; what a player may see needs no token. */
async function readText(job: string, path: string): Promise<TextAnswer> {
  try {
    const offpeak = new Offpeak({ url: location.origin });
    const { data, error, response } = await offpeak.api.GET("/media/{job}/{path}", {
      params: { path: { job, path } },
      parseAs: "text",
      cache: "no-cache",
    });
    if (data !== undefined) return { kind: "text", text: data };
    // A proxy in between does not speak in problems.
    return whyNot(response.status, typeof error === "object" ? error : { code: "", detail: "" });
  } catch {
    return { kind: "unreachable" };
  }
}

/** Turns a refusal into what the page shows; `code` is the stable name in the server's problem document. */
export function whyNot(status: number, problem: Pick<Problem, "code" | "detail">): Exclude<StreamAnswer, { kind: "playable" }> {
  switch (problem.code) {
    case "not_playable_yet":
      return { kind: "waiting" };
    case "job_failed":
    case "job_cancelled":
      return { kind: "failed", reason: problem.detail };
    case "signature_needed":
    case "bad_signature":
    case "expired_address":
      return { kind: "refused", reason: problem.detail };
    default:
      return status === 404 || status === 410 ? { kind: "missing" } : { kind: "unreachable" };
  }
}
