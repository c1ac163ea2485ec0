import { Offpeak, OffpeakError, type components, type Problem } from "@offpeak/sdk";
import { chosenTeam } from "./team";

/** The API's own types: `Schemas["Agent"]`. */
export type Schemas = components["schemas"];
export type { Problem };
export { OffpeakError };

/** Told when the server no longer knows who asks. */
type SignedOut = () => void;
let onSignedOut: SignedOut = () => undefined;

export function whenSignedOut(then: SignedOut) {
  onSignedOut = then;
}

/**
 * Requests with the session's cookie, which the browser adds by itself, in the team that was chosen. That a change comes from
 * a page of this server the browser says too (docs/accounts.md).
 */
export async function sessionFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const team = chosenTeam();
  if (team !== undefined && !request.headers.has("offpeak-team")) request.headers.set("offpeak-team", team);
  const response = await fetch(request);
  if (response.status === 401 && !new URL(request.url).pathname.startsWith("/v1/session")) onSignedOut();
  return response;
}

/** The client of this server. Its `api` has every operation. */
export const offpeak = new Offpeak({ url: location.origin, fetch: sessionFetch });
export const { api } = offpeak;

/** The body of an answer; a refusal is thrown as an `OffpeakError`. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  throw new OffpeakError(isProblem(error) ? error : plainProblem(response), retryAfter(response));
}

/** A header that lets a POST be repeated without making a thing twice. */
export function once(): { header: { "Idempotency-Key": string } } {
  return { header: { "Idempotency-Key": randomId() } };
}

/** `crypto.randomUUID` exists on https and localhost only, and an office's server may be neither. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body;
}

function plainProblem(response: Response): Problem {
  return {
    type: "about:blank",
    title: response.statusText,
    status: response.status,
    code: `http_${response.status}`,
    detail: `The server answered ${response.status} ${response.statusText}.`,
  };
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}
