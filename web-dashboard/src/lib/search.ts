/**
 * Reads search parameters of an address: whoever wrote them, what comes out is of the type that a page works with, and what makes
 * no sense is left out.
 */

export function text(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}

/** `state=failed,cancelled`, in the order of `allowed`. */
export function someOf<const T extends string>(value: unknown, allowed: readonly T[]): T[] {
  const named = Array.isArray(value) ? value.map(String) : (text(value)?.split(",") ?? []);
  return allowed.filter((one) => named.includes(one));
}

/** Without the parts that are undefined, so that addresses stay short. */
export function compact<T extends object>(search: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
