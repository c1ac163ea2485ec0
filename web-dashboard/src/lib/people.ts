import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./api";
import type { Role } from "./session";

/** Everybody who may log in; for administrators. */
export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: async () => (await answer(api.GET("/v1/people"))).people,
  staleTime: 10_000,
});

export function addMember(team: string, person: string): Promise<unknown> {
  return answer(api.PUT("/v1/teams/{id}/members/{person}", { params: { path: { id: team, person } } }));
}

export function removeMember(team: string, person: string): Promise<unknown> {
  return answer(api.DELETE("/v1/teams/{id}/members/{person}", { params: { path: { id: team, person } } }));
}

export const ROLES: { role: Role; label: string; about: string }[] = [
  { role: "member", label: "Member", about: "In their teams: jobs, profiles, webhooks and tokens. Of the farm they see figures." },
  { role: "operator", label: "Operator", about: "Also looks after the machines, and the jobs of every team." },
  { role: "admin", label: "Administrator", about: "Everything: people, teams, and tokens of every team." },
];

export function roleName(role: Role): string {
  return ROLES.find((one) => one.role === role)?.label ?? role;
}
