import { queryOptions } from "@tanstack/react-query";
import { answer, api, once, type Schemas } from "../../../lib/api";

export type Team = Schemas["Team"];

export const membersQuery = (team: string) =>
  queryOptions({
    queryKey: ["teams", team, "members"],
    queryFn: async () => (await answer(api.GET("/v1/teams/{id}/members", { params: { path: { id: team } } }))).members,
  });

export function makeTeam(name: string, weight: number): Promise<Team> {
  return answer(api.POST("/v1/teams", { params: once(), body: { name, weight } }));
}

export function changeTeam(id: string, change: { name?: string; weight?: number }): Promise<Team> {
  return answer(api.PATCH("/v1/teams/{id}", { params: { path: { id } }, body: change }));
}

export function deleteTeam(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/teams/{id}", { params: { path: { id } } }));
}
