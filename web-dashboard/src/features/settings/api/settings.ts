import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../../../lib/api";

const POLL_MS = 15_000;

export const fleetQuery = queryOptions({
  queryKey: ["fleet", "figures"],
  queryFn: () => answer(api.GET("/v1/fleet")),
  refetchInterval: POLL_MS,
});

export function changePassword(current: string, next: string): Promise<unknown> {
  return answer(api.PUT("/v1/session/password", { body: { current, new: next } }));
}

export function logOutEverywhere(): Promise<unknown> {
  return answer(api.DELETE("/v1/session", { params: { query: { everywhere: true } } }));
}
