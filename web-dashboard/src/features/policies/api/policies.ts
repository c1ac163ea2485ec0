import { queryOptions } from "@tanstack/react-query";
import { answer, api, once, type Schemas } from "../../../lib/api";
import type { Group } from "../../../lib/groups";

export type Policy = Schemas["Policy"];

export const groupQuery = (id: string) =>
  queryOptions({
    queryKey: ["groups", id],
    queryFn: () => answer(api.GET("/v1/groups/{id}", { params: { path: { id } } })),
  });

export function makeGroup(name: string): Promise<Group> {
  return answer(api.POST("/v1/groups", { params: once(), body: { name } }));
}

export function renameGroup(id: string, name: string): Promise<Group> {
  return answer(api.PATCH("/v1/groups/{id}", { params: { path: { id } }, body: { name } }));
}

export function deleteGroup(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/groups/{id}", { params: { path: { id } } }));
}

export function putPolicy(group: string, policy: Policy): Promise<Policy> {
  return answer(api.PUT("/v1/policies/{group}", { params: { path: { group } }, body: policy }));
}
