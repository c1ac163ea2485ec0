import type { Snapshot } from "../shell";

export interface Page {
  element: HTMLElement;
  update: (snapshot: Snapshot) => void;
  enter?: () => void;
  leave?: () => void;
}
