import createClient, { type Client } from "openapi-fetch";
import { JobOver, refusal, refused } from "./problem.js";
import { patiently } from "./retry.js";
import type { components, paths } from "./schema.js";
import type { Job, OutputFile } from "./types.js";
import { upload, type Send, type UploadOptions } from "./upload.js";
import { wait, type WaitOptions } from "./wait.js";

export interface Options {
  /** The server's address, such as `https://video.example.com`; may lie below a path. */
  url: string;
  /** `ofp_…`; sent to that server only. */
  token?: string;
  /** Another `fetch`, for tests and proxies. */
  fetch?: typeof globalThis.fetch;
}

/** A job to be made: only the source is needed. */
export type Submission = Pick<components["schemas"]["CreateJob"], "source"> & Partial<components["schemas"]["CreateJob"]>;

/** Requests of a program that repeat themselves are tried so often. */
const TRIES = 6;

/**
 * A client of one server.
 *
 * `api` has every operation of the API, typed; the functions beside it do what takes more than one request.
 */
export class Offpeak {
  readonly api: Client<paths>;
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: Options) {
    this.#url = options.url.replace(/\/+$/, "");
    this.#token = options.token;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.api = createClient<paths>({
      baseUrl: this.#url,
      fetch: (request: Request) => this.#fetch(request),
      ...(this.#token === undefined ? {} : { headers: { authorization: `Bearer ${this.#token}` } }),
    });
  }

  /** Uploads a file, resumably; the answer is the source's id. In Node, `fs.openAsBlob(path)` makes a `Blob` of a file. */
  upload(data: Blob, options: UploadOptions = {}): Promise<string> {
    return upload(this.#send, data, options);
  }

  /** Makes a job. Repeated by itself when no answer comes, and made once all the same. */
  submit(job: Submission, options: { idempotencyKey?: string; signal?: AbortSignal } = {}): Promise<Job> {
    const key = options.idempotencyKey ?? crypto.randomUUID();
    return patiently(TRIES, options.signal, async () => {
      const { data, error, response } = await this.api.POST("/v1/jobs", {
        body: job as components["schemas"]["CreateJob"],
        params: { header: { "Idempotency-Key": key } },
        ...(options.signal ? { signal: options.signal } : {}),
      });
      if (data === undefined) throw refused(response, error);
      return data;
    });
  }

  /** Reads a job. */
  async job(id: string): Promise<Job> {
    const { data, error, response } = await this.api.GET("/v1/jobs/{id}", { params: { path: { id } } });
    if (data === undefined) throw refused(response, error);
    return data;
  }

  /** Follows a job until it is completed, through outages of the server. Throws {@link JobOver} when it fails. */
  async wait(job: string | Job, options: WaitOptions = {}): Promise<Job> {
    const id = typeof job === "string" ? job : job.id;
    const over = await wait(() => this.job(id), this.#send, id, options);
    if (over.state !== "completed") throw new JobOver(over);
    return over;
  }

  /** Opens one of a job's files, the first when no name is given: its body is the file. */
  async download(job: Job, name?: string, init: RequestInit = {}): Promise<{ file: OutputFile; response: Response }> {
    const file = (job.outputs?.files ?? []).find((file) => name === undefined || file.name === name);
    if (file === undefined) throw new Error(`${job.id} has no file ${name ?? "at all"}`);
    const response = await this.#send(file.url, init);
    if (!response.ok) throw await refusal(response);
    return { file, response };
  }

  /** The token goes to the server it belongs to, and nowhere else. */
  readonly #send: Send = (address, init) => {
    const url = new URL(/^[a-z]+:/.test(address) ? address : this.#url + address);
    const headers = new Headers(init.headers);
    if (this.#token !== undefined && url.origin === new URL(this.#url).origin) {
      headers.set("authorization", `Bearer ${this.#token}`);
    }
    return this.#fetch(url, { ...init, headers });
  };
}
