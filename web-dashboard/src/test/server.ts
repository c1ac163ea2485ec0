import { vi } from "vitest";

interface Call {
  method: string;
  path: string;
  body: unknown;
}

type Reply = { status?: number; body?: unknown } | ((call: Call) => { status?: number; body?: unknown });

/**
 * Answers what the API's client asks, by `"GET /v1/tokens"`; anything else is a 404. The array that is returned holds all
 * requests that changed something.
 */
export function serve(replies: Record<string, Reply>): Call[] {
  const changes: Call[] = [];
  vi.stubGlobal("fetch", async (input: Request) => {
    const { pathname: path, search } = new URL(input.url);
    const text = await input.text();
    const call: Call = { method: input.method, path: path + search, body: text === "" ? undefined : JSON.parse(text) };
    if (input.method !== "GET") changes.push(call);
    const reply = replies[`${input.method} ${path}`] ?? {
      status: 404,
      body: { code: "no_such_address", detail: `Nothing is at ${path}.` },
    };
    const { status = 200, body } = typeof reply === "function" ? reply(call) : reply;
    const type = status < 400 ? "application/json" : "application/problem+json";
    return new Response(body === undefined ? null : JSON.stringify(body), {
      status: body === undefined ? 204 : status,
      headers: { "content-type": type },
    });
  });
  return changes;
}

/** A refusal, as the server writes one. */
export function refusal(status: number, code: string, detail: string) {
  return { status, body: { type: "about:blank", title: "Refused", status, code, detail } };
}
