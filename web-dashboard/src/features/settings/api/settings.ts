import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../../../lib/api";

const POLL_MS = 15_000;

export const fleetQuery = queryOptions({
  queryKey: ["fleet", "figures"],
  queryFn: () => answer(api.GET("/v1/fleet")),
  refetchInterval: POLL_MS,
});

export type OpenSession = Schemas["OpenSession"];

/** Where one is logged in. */
export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: async () => (await answer(api.GET("/v1/sessions"))).sessions,
});

export function endSession(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/sessions/{id}", { params: { path: { id } } }));
}

export function renameSelf(name: string): Promise<Schemas["Session"]> {
  return answer(api.PATCH("/v1/session", { body: { name } }));
}

export function changePassword(current: string, next: string): Promise<unknown> {
  return answer(api.PUT("/v1/session/password", { body: { current, new: next } }));
}

export function logOutEverywhere(): Promise<unknown> {
  return answer(api.DELETE("/v1/session", { params: { query: { everywhere: true } } }));
}
