import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../../../lib/api";

export type Profile = Schemas["Profile"];
export type ProfileEntry = Schemas["ProfileEntry"];

const PAGE = 200;

/** All profiles of the team, those that come with Offpeak first. */
export const profilesQuery = queryOptions({
  queryKey: ["profiles", "all"],
  queryFn: async () => {
    const profiles: ProfileEntry[] = [];
    let cursor: string | undefined;
    do {
      const page = await answer(
        api.GET("/v1/profiles", { params: { query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) } } }),
      );
      profiles.push(...page.profiles);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return profiles;
  },
});

export const profileQuery = (name: string) =>
  queryOptions({
    queryKey: ["profiles", "one", name],
    queryFn: () => answer(api.GET("/v1/profiles/{name}", { params: { path: { name } } })),
  });

export function putProfile(profile: Profile): Promise<ProfileEntry> {
  return answer(api.PUT("/v1/profiles/{name}", { params: { path: { name: profile.name } }, body: profile }));
}

export function deleteProfile(name: string): Promise<unknown> {
  return answer(api.DELETE("/v1/profiles/{name}", { params: { path: { name } } }));
}
