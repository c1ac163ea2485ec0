import { queryOptions } from "@tanstack/react-query";
import { answer, api, once, type Schemas } from "../../../lib/api";

export type EnrolmentCode = Schemas["EnrolmentCode"];

const POLL_MS = 5000;

/** Codes that can still be used. */
export const codesQuery = queryOptions({
  queryKey: ["enrolment-codes"],
  queryFn: async () => (await answer(api.GET("/v1/enrolment-codes"))).enrolment_codes,
  refetchInterval: POLL_MS,
});

export interface NewCode {
  name: string;
  group: string | null;
  uses: number;
  hours: number;
}

export function makeCode({ name, group, uses, hours }: NewCode): Promise<Schemas["CreatedEnrolmentCode"]> {
  const body = {
    uses,
    expires_in_hours: hours,
    ...(group === null ? {} : { group }),
    ...(name.trim() === "" ? {} : { name: name.trim() }),
  };
  return answer(api.POST("/v1/enrolment-codes", { params: once(), body }));
}

export function revokeCode(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/enrolment-codes/{id}", { params: { path: { id } } }));
}
