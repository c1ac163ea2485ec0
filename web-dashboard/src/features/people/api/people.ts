import { queryOptions } from "@tanstack/react-query";
import { answer, api, once, type Schemas } from "../../../lib/api";
import type { Role } from "../../../lib/session";

export type Person = Schemas["Person"];
export type Invitation = Schemas["Invitation"];

export const invitationsQuery = queryOptions({
  queryKey: ["invitations"],
  queryFn: async () => (await answer(api.GET("/v1/invitations"))).invitations,
});

export function invite(body: { email: string; role: Role; teams: string[] }): Promise<Schemas["CreatedLink"]> {
  return answer(api.POST("/v1/invitations", { params: once(), body }));
}

export function takeBack(invitation: string): Promise<unknown> {
  return answer(api.DELETE("/v1/invitations/{id}", { params: { path: { id: invitation } } }));
}

export function changePerson(id: string, change: Schemas["ChangePerson"]): Promise<Person> {
  return answer(api.PATCH("/v1/people/{id}", { params: { path: { id } }, body: change }));
}

export function deletePerson(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/people/{id}", { params: { path: { id } } }));
}

export function makeResetLink(id: string): Promise<Schemas["CreatedLink"]> {
  return answer(api.POST("/v1/people/{id}/reset", { params: { path: { id }, ...once() } }));
}
