import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../../../lib/api";
import { OPEN_STATES } from "../../../lib/jobs";
import { POLL_MS, SLOW_POLL_MS } from "../../../lib/live";

const DAY_MS = 86_400_000;
/** The API keeps ranges to 31 days. */
export const SAVED_OVER_DAYS = 30;
/** The chart gains a point a minute. */
const HISTORY_EVERY_MS = 60_000;
const SHOWN_JOBS = 6;

/** Figures over the team's jobs that ended since the beginning of today, on the viewer's clock. */
export const todayQuery = queryOptions({
  queryKey: ["jobs", "figures", "today"],
  queryFn: () => {
    const from = new Date();
    from.setHours(0, 0, 0, 0);
    return answer(api.GET("/v1/jobs/figures", { params: { query: { from: from.toISOString() } } }));
  },
  refetchInterval: POLL_MS,
});

export const monthQuery = queryOptions({
  queryKey: ["jobs", "figures", "month"],
  queryFn: () => {
    const from = new Date(Date.now() - SAVED_OVER_DAYS * DAY_MS);
    return answer(api.GET("/v1/jobs/figures", { params: { query: { from: from.toISOString() } } }));
  },
  refetchInterval: SLOW_POLL_MS,
});

export const fleetQuery = queryOptions({
  queryKey: ["fleet"],
  queryFn: () => answer(api.GET("/v1/fleet")),
  refetchInterval: POLL_MS,
});

export const historyQuery = queryOptions({
  queryKey: ["fleet", "history"],
  queryFn: async () => (await answer(api.GET("/v1/fleet/history"))).samples,
  refetchInterval: HISTORY_EVERY_MS,
});

export const runningQuery = queryOptions({
  queryKey: ["jobs", "running"],
  queryFn: async () => (await answer(api.GET("/v1/jobs", { params: { query: { state: OPEN_STATES.join(","), limit: SHOWN_JOBS } } }))).jobs,
  refetchInterval: POLL_MS,
});

export const failedQuery = queryOptions({
  queryKey: ["jobs", "failed"],
  queryFn: async () => {
    const { jobs } = await answer(api.GET("/v1/jobs", { params: { query: { state: "failed", limit: SHOWN_JOBS } } }));
    const from = Date.now() - DAY_MS;
    return jobs.filter(({ ended_at }) => ended_at != null && Date.parse(ended_at) > from);
  },
  refetchInterval: SLOW_POLL_MS,
});

/** Webhooks that do not get through, for those who may see them. */
export const webhooksQuery = queryOptions({
  queryKey: ["webhooks", "failing"],
  queryFn: async () => {
    const { webhooks } = await answer(api.GET("/v1/webhooks"));
    return webhooks.filter(({ failing_since, disabled_reason }) => failing_since != null || disabled_reason != null);
  },
  refetchInterval: SLOW_POLL_MS,
  retry: false,
});

export const priceQuery = queryOptions({
  queryKey: ["fleet", "cloud-price"],
  queryFn: () => answer(api.GET("/v1/fleet/cloud-price")),
  staleTime: 60_000,
});

export function useSetPrice() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["CloudPrice"]) => answer(api.PUT("/v1/fleet/cloud-price", { body })),
    onSuccess: (price) => {
      queries.setQueryData(priceQuery.queryKey, price);
    },
  });
}
