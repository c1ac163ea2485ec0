import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./api";

export type Group = Schemas["Group"];

const PAGE = 200;

/** All groups of machines, the default one first. A farm has at most 500. */
export const groupsQuery = queryOptions({
  queryKey: ["groups"],
  queryFn: async () => {
    const groups: Group[] = [];
    let cursor: string | undefined;
    do {
      const page = await answer(api.GET("/v1/groups", { params: { query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) } } }));
      groups.push(...page.groups);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return groups;
  },
  staleTime: 30_000,
});
