import { queryOptions, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./api";
import { chooseTeam, chosenTeam, useChosenTeam } from "./team";

export type Person = Schemas["Person"];
export type Role = Schemas["Role"];

/** Who is logged in. The app's root asks before any page is shown, so pages can rely on it. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => {
    const session = await answer(api.GET("/v1/session"));
    settleTeam(session.person);
    return session;
  },
  staleTime: 60_000,
});

/** Who belongs to several teams has to say which one every request is about: the first, until they choose another. */
export function settleTeam({ role, teams }: Pick<Person, "role" | "teams">) {
  const chosen = chosenTeam();
  // Operators may choose any team; whether theirs is still there the server says.
  const isGood = chosen === undefined ? teams.length < 2 : role !== "member" || teams.some(({ id }) => id === chosen);
  if (!isGood) chooseTeam(teams[0]?.id);
}

export function usePerson(): Person {
  return useSuspenseQuery(sessionQuery).data.person;
}

/** Administrators may do what operators do, operators what members do. */
export function may(person: Pick<Person, "role">, needed: Role): boolean {
  const ranks: Record<Role, number> = { member: 0, operator: 1, admin: 2 };
  return ranks[person.role] >= ranks[needed];
}

/** True for those who look after the fleet. */
export function useIsOperator(): boolean {
  return may(usePerson(), "operator");
}

export function useIsAdmin(): boolean {
  return may(usePerson(), "admin");
}

/** All teams of the farm: names for ids. Members are told of their own only. */
export const teamsQuery = queryOptions({
  queryKey: ["teams"],
  queryFn: async () => (await answer(api.GET("/v1/teams"))).teams,
  staleTime: 60_000,
});

export interface TeamScope {
  /** Those one can act in: a member's own, all of them for operators and administrators. */
  teams: { id: string; name: string }[];
  current: { id: string; name: string } | undefined;
}

/** In which team things are done now. */
export function useTeamScope(): TeamScope {
  const person = usePerson();
  const chosen = useChosenTeam();
  const all = useQuery({ ...teamsQuery, enabled: may(person, "operator") });
  const teams = may(person, "operator") ? (all.data ?? person.teams) : person.teams;
  // As the server does for those who name none: their only team, or else the first.
  const current = teams.find(({ id }) => id === chosen) ?? person.teams[0] ?? teams[0];
  return { teams, current };
}
