import { queryOptions } from "@tanstack/react-query";
import { answer, api, once, type Schemas } from "../../../lib/api";

export type Agent = Schemas["Agent"];
export type AgentDetail = Schemas["AgentDetail"];
export type AgentHour = Schemas["AgentHour"];

const PAGE = 200;
/** With more machines than this the list is read less often. */
const MANY = 400;
const OFTEN_MS = 5000;
const SELDOM_MS = 15_000;

/**
 * All machines, page by page: filters and sorting of the list are the browser's, so that a word typed shows at once what
 * it finds.
 */
export const agentsQuery = (revoked: boolean) =>
  queryOptions({
    queryKey: ["agents", { revoked }],
    queryFn: async ({ signal }) => {
      const agents: Agent[] = [];
      let cursor: string | undefined;
      do {
        const page = await answer(
          api.GET("/v1/agents", {
            params: { query: { limit: PAGE, ...(revoked ? { standing: "revoked" } : {}), ...(cursor === undefined ? {} : { cursor }) } },
            signal,
          }),
        );
        agents.push(...page.agents);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      return agents;
    },
    refetchInterval: ({ state }) => ((state.data?.length ?? 0) > MANY ? SELDOM_MS : OFTEN_MS),
  });

export const agentQuery = (id: string) =>
  queryOptions({
    queryKey: ["agent", id],
    queryFn: () => answer(api.GET("/v1/agents/{id}", { params: { path: { id } } })),
    refetchInterval: OFTEN_MS,
  });

/** How far back a machine's habits are looked at: four whole weeks, so that each day counts as often as the others. */
export const HISTORY_DAYS = 28;
const HOUR_MS = 3_600_000;

export const historyQuery = (id: string) =>
  queryOptions({
    queryKey: ["agent", id, "history"],
    queryFn: () => {
      const to = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
      const from = to - HISTORY_DAYS * 24 * HOUR_MS;
      const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      return answer(api.GET("/v1/agents/{id}/history", { params: { path: { id }, query } }));
    },
    staleTime: 120_000,
    refetchInterval: 300_000,
  });

export function changeAgent(id: string, change: { name?: string; group?: string }): Promise<Agent> {
  return answer(api.PATCH("/v1/agents/{id}", { params: { path: { id } }, body: change }));
}

export function drainAgent(id: string, reason = ""): Promise<Agent> {
  return answer(api.POST("/v1/agents/{id}/drain", { params: { path: { id }, ...once() }, body: { reason } }));
}

export function setAgentAside(id: string, reason = ""): Promise<Agent> {
  return answer(api.POST("/v1/agents/{id}/set-aside", { params: { path: { id }, ...once() }, body: { reason } }));
}

export function resumeAgent(id: string): Promise<Agent> {
  return answer(api.POST("/v1/agents/{id}/resume", { params: { path: { id }, ...once() } }));
}

export function revokeAgent(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/agents/{id}", { params: { path: { id } } }));
}
