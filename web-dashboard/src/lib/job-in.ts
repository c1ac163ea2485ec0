/** Finds a job's id (`job_` and a ULID) in what somebody pasted: the bare id or any address that holds it. */
export function jobIn(text: string): string | undefined {
  const found = /job_([0-9A-HJKMNP-TV-Z]{26})(?![0-9A-Z])/i.exec(text.trim());
  return found?.[1] === undefined ? undefined : `job_${found[1].toUpperCase()}`;
}
