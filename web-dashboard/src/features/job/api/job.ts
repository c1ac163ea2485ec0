import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Job } from "@offpeak/sdk";
import { answer, api, once, type Schemas } from "../../../lib/api";
import { isOpen } from "../../../lib/jobs";
import { POLL_MS } from "../../../lib/live";

export type { Job };
export type JobMap = Schemas["JobMap"];
export type MapTrack = Schemas["MapTrack"];

/** Events say when something changed; this is for when they do not get through. */
const WHILE_OPEN = { refetchInterval: POLL_MS };

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ["jobs", "one", id],
    queryFn: () => answer(api.GET("/v1/jobs/{id}", { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data === undefined || isOpen(state.data) ? WHILE_OPEN.refetchInterval : false),
  });
}

export function mapQuery(id: string, open: boolean) {
  return queryOptions({
    queryKey: ["jobs", "map", id],
    queryFn: () => answer(api.GET("/v1/jobs/{id}/map", { params: { path: { id } } })),
    refetchInterval: open ? POLL_MS : false,
  });
}

export function sourceQuery(id: string) {
  return queryOptions({
    queryKey: ["sources", id],
    queryFn: () => answer(api.GET("/v1/sources/{id}", { params: { path: { id } } })),
    staleTime: 60_000,
  });
}

/** Cancels, retries or deletes a job. */
export function useJobActs(id: string) {
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: ["jobs"] });
  const cancel = useMutation({
    mutationFn: () => answer(api.POST("/v1/jobs/{id}/cancel", { params: { path: { id }, ...once() } })),
    onSuccess: again,
  });
  const retry = useMutation({
    mutationFn: () => answer(api.POST("/v1/jobs/{id}/retry", { params: { path: { id }, ...once() } })),
    onSuccess: again,
  });
  const remove = useMutation({
    mutationFn: () => answer(api.DELETE("/v1/jobs/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      queries.removeQueries({ queryKey: ["jobs", "one", id] });
      return again();
    },
  });
  return { cancel, retry, remove };
}
