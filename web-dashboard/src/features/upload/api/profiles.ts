import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../../../lib/api";

/** Profiles to choose from, as the API lists them. */
export function profilesQuery(team: string | undefined) {
  return queryOptions({
    queryKey: ["profiles", "choice", team],
    queryFn: async () => {
      const headers = team === undefined ? {} : { "Offpeak-Team": team };
      const { profiles } = await answer(api.GET("/v1/profiles", { params: { query: { limit: 200 } }, headers }));
      return profiles.map(({ profile }) => profile);
    },
    staleTime: 60_000,
  });
}
