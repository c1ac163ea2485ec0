import { queryOptions } from "@tanstack/react-query";
import { answer, api, once, type Schemas } from "../../../lib/api";

export type Token = Schemas["Token"];
export type Scope = Schemas["Scope"];

const POLL_MS = 15_000;

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: async () => (await answer(api.GET("/v1/tokens"))).tokens,
  refetchInterval: POLL_MS,
});

export function makeToken({
  name,
  scopes,
  days,
}: {
  name: string;
  scopes: Scope[];
  days: number | undefined;
}): Promise<Schemas["CreatedToken"]> {
  return answer(
    api.POST("/v1/tokens", { params: once(), body: { name, scopes, ...(days === undefined ? {} : { expires_in_days: days }) } }),
  );
}

export function revokeToken(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/tokens/{id}", { params: { path: { id } } }));
}
