import { OffpeakError } from "./api";

/** `#/video/ladder/2/height` is `video.ladder[].height`. */
function fieldAt(pointer: string): string {
  const parts = pointer.replace(/^#\//, "").split("/");
  return parts.map((part) => (/^\d+$/.test(part) ? "[]" : part.replaceAll("~1", "/").replaceAll("~0", "~"))).join(".").replaceAll(".[]", "[]");
}

/**
 * Which field of a form a refusal is about, with what it says. The server points to it, with a list as a whole for one of its
 * entries; and it puts names of fields into backticks, the one that is meant first, and those of lists as `video.ladder[].height`.
 */
export function fieldError(error: unknown, fields: readonly string[]): { field: string; message: string } | undefined {
  if (!(error instanceof OffpeakError) || error.status !== 422) return undefined;
  const { detail, errors = [] } = error.problem;
  const named = /`([^`]+)`/.exec(detail)?.[1];
  const pointed = errors.map(({ pointer }) => fieldAt(pointer));
  const field = fields.find((one) => one === named) ?? fields.find((one) => pointed.includes(one));
  return field === undefined ? undefined : { field, message: (errors[0]?.detail ?? detail).replaceAll("`", "") };
}

/** The refusal, unless it is already shown at one of the fields. */
export function otherError(error: unknown, fields: readonly string[]): unknown {
  return fieldError(error, fields) === undefined ? error : undefined;
}

/** What a field is told, to be spread over an input. */
export function errorAt(error: unknown, field: string): { error?: string } {
  const found = fieldError(error, [field]);
  return found === undefined ? {} : { error: found.message };
}
