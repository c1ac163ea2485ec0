import { OffpeakError } from "./problem.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/** Waits; an abort ends the wait with the signal's reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** True for what can go better the next time: no answer at all, or one that says so. */
export function isPassing(error: unknown): boolean {
  if (error instanceof OffpeakError) return error.isPassing || ["idempotency_key_in_progress", "upload_locked"].includes(error.code);
  // fetch says that nothing answered with a TypeError.
  return error instanceof TypeError && !isAboutCertificate(error);
}

/** Node says why in the cause; a certificate that is not believed now is not believed a second later either. */
function isAboutCertificate({ cause }: TypeError): boolean {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return /CERT|SIGNATURE|SSL/.test(code);
}

/** Doubling pauses with jitter, or what the server asks for. */
export function pauseBefore(attempt: number, error: unknown): number {
  if (error instanceof OffpeakError && error.retryAfterSeconds !== undefined) return error.retryAfterSeconds * 1000;
  return Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}

/** Repeats what failed for a passing reason. Only for calls that may be repeated. */
export async function patiently<T>(tries: number, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt + 1 >= tries || !isPassing(error)) throw error;
      await pause(pauseBefore(attempt, error), signal);
    }
  }
}
