import { compact, oneOf } from "../../lib/search";

export const SNIPPETS = ["curl", "cli", "typescript", "python", "rust"] as const;
export type Snippet = (typeof SNIPPETS)[number];

/** What a job's page shows, in its address. */
export interface JobSearch {
  /** In which language its snippets are. */
  snippet?: Snippet;
}

export function jobSearch(raw: Record<string, unknown>): JobSearch {
  return compact({ snippet: oneOf(raw.snippet, SNIPPETS) });
}
