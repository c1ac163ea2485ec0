import type { components } from "./schema.js";
import type { Job } from "./types.js";

/** Why a request was refused (RFC 9457). `code` is stable; docs/problems.md lists them. */
export type Problem = components["schemas"]["Problem"];

/** The server answered, and refused. */
export class OffpeakError extends Error {
  constructor(
    readonly problem: Problem,
    /** When it is worth asking again. */
    readonly retryAfterSeconds?: number,
  ) {
    super(problem.hint ? `${problem.detail} ${problem.hint}` : problem.detail);
    this.name = "OffpeakError";
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }

  /** True when the same request can succeed later. */
  get isPassing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** The job failed or was cancelled; `job.error` says why. */
export class JobOver extends Error {
  constructor(readonly job: Job) {
    super(job.error ? `${job.id} ${job.state}: ${job.error.message} (${job.error.code})` : `${job.id} ${job.state}`);
    this.name = "JobOver";
  }
}

/** What a refusal says, whoever made it: a proxy in between does not speak in problems. */
export async function refusal(response: Response): Promise<OffpeakError> {
  const text = await response.text().catch(() => "");
  return refused(response, parsed(text));
}

/** As {@link refusal}, of a body that was read already. */
export function refused(response: Response, body: unknown): OffpeakError {
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  const problem: Problem = isProblem(body)
    ? body
    : {
        type: "about:blank",
        title: response.statusText,
        status: response.status,
        code: `http_${String(response.status)}`,
        detail: `${response.url} answered ${String(response.status)} ${response.statusText}`,
      };
  return new OffpeakError(problem, Number.isFinite(wait) ? wait : undefined);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
