import { useBlocker } from "@tanstack/react-router";
import { isAnythingUnsaved, useMayLose } from "../../components/unsaved";

/** Asks before another page is opened, or the tab closed, while a form holds changes that nobody has saved. */
export function UnsavedGuard() {
  const mayLose = useMayLose();
  useBlocker({
    // What is only in the address, such as a filter, takes no form away.
    shouldBlockFn: async ({ current, next }) => current.pathname !== next.pathname && !(await mayLose()),
    enableBeforeUnload: isAnythingUnsaved,
  });
  return null;
}
