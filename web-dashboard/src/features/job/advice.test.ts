import { expect, test } from "vitest";
import { adviceFor } from "./advice";

const failure = (agent: string, code = "ffmpeg_crashed") => ({ agent, agent_name: agent, at: "", code, first: 0, last: 1, message: "", task_kind: "encode" });

test.each([
  [{ code: "not_media", message: "", failures: [failure("a", "not_media")] }, /about the film/],
  [{ code: "ffmpeg_crashed", message: "", failures: [failure("a"), failure("b"), failure("c")] }, /on 3 machines/],
  [{ code: "lease_expired", message: "", failures: [failure("a", "lease_expired"), failure("b", "lease_expired")] }, /fell silent/],
  [{ code: "bad_picture_size", message: "" }, /about the film/],
])("%j", (error, advice) => {
  expect(adviceFor(error)).toMatch(advice);
});
