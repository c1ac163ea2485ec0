import { OffpeakError } from "./api";

/**
 * Which field of a form a refusal is about, with what it says. The server puts names of fields into backticks, the one that is
 * meant first, and those of lists as `video.ladder[].height`.
 */
export function fieldError(error: unknown, fields: readonly string[]): { field: string; message: string } | undefined {
  if (!(error instanceof OffpeakError) || error.status !== 422) return undefined;
  const { detail } = error.problem;
  const named = /`([^`]+)`/.exec(detail)?.[1];
  const field = fields.find((one) => one === named);
  return field === undefined ? undefined : { field, message: detail.replaceAll("`", "") };
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
