export { Offpeak, type Options, type Submission } from "./client.js";
export { OffpeakError, JobOver, type Problem } from "./problem.js";
export type { UploadOptions } from "./upload.js";
export type { WaitOptions } from "./wait.js";
export type { components, operations, paths } from "./schema.js";
export type { Job, JobEvent, OutputFile, Profile, Source } from "./types.js";
