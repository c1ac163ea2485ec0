import { expect, test } from "vitest";
import { OffpeakError } from "./api";
import { errorAt, fieldError, otherError } from "./field-errors";

const refusal = (detail: string, status = 422) =>
  new OffpeakError({ type: "about:blank", title: "Unprocessable Content", status, code: "bad_profile", detail });

test("a refusal goes to the field that it names", () => {
  const error = refusal("This profile cannot work: `video.ladder[].height` is even, 64 to 4320.");
  expect(fieldError(error, ["name", "video.ladder[].height"])).toEqual({
    field: "video.ladder[].height",
    message: "This profile cannot work: video.ladder[].height is even, 64 to 4320.",
  });
  expect(otherError(error, ["video.ladder[].height"])).toBeUndefined();
  expect(errorAt(error, "name")).toEqual({});
});

test("the field that is named first is meant", () => {
  const error = refusal("`span_seconds` is at least `segment_seconds` and at most 3600");
  expect(fieldError(error, ["segment_seconds", "span_seconds"])?.field).toBe("span_seconds");
  expect(fieldError(error, ["segment_seconds"])).toBeUndefined();
  expect(fieldError(refusal("unknown field `colour`, expected one of `name`, `video`"), ["name", "video"])).toBeUndefined();
});

test("a refusal goes to the field that it points to", () => {
  const at = (pointer: string) => {
    const [status, code, detail] = [422, "invalid_body", "expected u32 at line 1 column 9"];
    return new OffpeakError({ type: "about:blank", title: "Unprocessable Content", status, code, detail, errors: [{ pointer, detail }] });
  };
  expect(fieldError(at("#/priority"), ["name", "priority"])?.field).toBe("priority");
  expect(fieldError(at("#/video/ladder/2/height"), ["video.ladder", "video.ladder[].height"])?.field).toBe("video.ladder[].height");
  expect(fieldError(at("#/colour"), ["priority"])).toBeUndefined();
});

test.each([[refusal("no field here")], [refusal("`name` is taken", 409)], [new TypeError("`name`")], [undefined]])(
  "%s stays with the form",
  (error) => {
    expect(fieldError(error, ["name"])).toBeUndefined();
    expect(otherError(error, ["name"])).toBe(error);
  },
);
