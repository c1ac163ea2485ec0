// Uploads, submits, waits and downloads against a server that has an engine: node end-to-end.mjs URL TOKEN FILM PROFILE OUT
// The harness (tests/clients_work.rs) starts both and looks at what was downloaded.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createWriteStream, openAsBlob } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { JobOver, Offpeak, OffpeakError } from "../dist/index.js";

const [url, token, film, profile, out] = process.argv.slice(2);

// A network that loses some answers: what was asked for has happened all the same.
let calls = 0;
let lost = 0;
const lossy = async (input, init) => {
  const response = await fetch(input, init);
  const changes = ["POST", "PATCH"].includes(init?.method ?? input.method);
  if (changes && ++calls % 2 === 1) {
    lost++;
    await response.arrayBuffer();
    throw new TypeError("the test loses this answer");
  }
  return response;
};
const offpeak = new Offpeak({ url, token, fetch: lossy });

const blob = await openAsBlob(film);
const steps = [];
let begun;
const source = await offpeak.upload(blob, {
  filename: "film.mp4",
  requestBytes: Math.ceil(blob.size / 3),
  onBegun: (id) => (begun = id),
  onProgress: (safe, whole) => steps.push([safe, whole]),
});
assert.equal(source, begun);
assert.deepEqual(steps.at(-1), [blob.size, blob.size]);
assert.ok(steps.length >= 4, JSON.stringify(steps));
const kept = await offpeak.api.GET("/v1/sources/{id}", { params: { path: { id: source } } });
const sha256 = createHash("sha256").update(Buffer.from(await blob.arrayBuffer())).digest("hex");
assert.deepEqual([kept.data.state, kept.data.filename, kept.data.sha256], ["ready", "film.mp4", sha256]);
assert.equal(await offpeak.upload(blob, { resume: source }), source, "what is whole is not sent again");

const job = await offpeak.submit({ source: { upload: source }, profile, metadata: { by: "typescript" } });
assert.equal(job.state, "queued");
const jobs = await offpeak.api.GET("/v1/jobs", { params: { query: { source } } });
assert.equal(jobs.data.jobs.length, 1, "the job was made once although an answer was lost");
assert.ok(lost >= 3, `${lost} answers were lost`);

const fractions = [];
const done = await offpeak.wait(job, { onProgress: (job) => fractions.push(job.progress.fraction) });
assert.equal(done.state, "completed");
assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
const { file, response } = await offpeak.download(done);
await pipeline(Readable.fromWeb(response.body), createWriteStream(out));
console.log(JSON.stringify({ job: done.id, file: file.name, sha256: file.sha256 }));

const refused = await offpeak.submit({ source: { upload: source }, profile: "no-such-profile" }).catch((error) => error);
assert.ok(refused instanceof OffpeakError);
assert.deepEqual([refused.status, refused.code], [422, "unknown_profile"]);
const hopeless = await offpeak.submit({ source: { url: `${url}/healthz` }, profile });
const over = await offpeak.wait(hopeless).catch((error) => error);
assert.ok(over instanceof JobOver && over.job.state === "failed" && over.job.error.code !== "", String(over));
