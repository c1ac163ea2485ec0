import { useCallback, useId, useLayoutEffect } from "react";
import { useConfirm } from "./confirm";

/** Forms on the page that hold changes which nobody has saved. */
const forms = new Set<string>();

/** Keeps what was typed into a form from being lost: whoever leaves the page is asked first (`UnsavedGuard` in the frame). */
export function useUnsaved(isDirty: boolean) {
  const id = useId();
  // Before the next event, so that a form that is being sent may lead elsewhere.
  useLayoutEffect(() => {
    if (!isDirty) return;
    forms.add(id);
    return () => {
      forms.delete(id);
    };
  }, [id, isDirty]);
}

export function isAnythingUnsaved(): boolean {
  return forms.size > 0;
}

/** Asks whether changes may be lost; whether they may. Asks nobody when there are none. */
export function useMayLose(): () => Promise<boolean> {
  const confirm = useConfirm();
  return useCallback(async () => {
    if (!isAnythingUnsaved()) return true;
    const isGranted = await confirm({
      title: "Leave without saving?",
      body: <p>What you changed here is not saved yet, and would be lost.</p>,
      action: "Leave without saving",
      keep: "Stay here",
      danger: true,
      run: () => Promise.resolve(),
    });
    // Who said so once is not asked again on the same way out.
    if (isGranted) forms.clear();
    return isGranted;
  }, [confirm]);
}
