import { QueryClient } from "@tanstack/react-query";
import { OffpeakError } from "../lib/api";

const TRIES = 3;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What is shown was right a moment ago; pages that follow something ask again by themselves.
        staleTime: 2000,
        // A refusal stays one; what is broken may mend.
        retry: (failures, error) => failures < TRIES && !(error instanceof OffpeakError && !error.isPassing),
      },
    },
  });
}
