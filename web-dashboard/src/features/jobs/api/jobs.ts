import { type InfiniteData, infiniteQueryOptions, queryOptions, type QueryClient } from "@tanstack/react-query";
import type { Job } from "@offpeak/sdk";
import { answer, api, OffpeakError, once, type Schemas } from "../../../lib/api";
import { isOpen, OPEN_STATES } from "../../../lib/jobs";
import { type Liveness, POLL_MS } from "../../../lib/live";
import type { JobsSearch } from "../search";

type Page = Schemas["JobList"];

const PAGE = 100;
/** The API's largest page. */
const MOST = 200;
/** Jobs that ended since the last look, which are read one by one; of more, the list is read anew. */
export const ONE_BY_ONE = 24;
/** With events, a look now and then is for what got lost. */
const SELDOM_MS = 60_000;

function filters({ q, state, profile }: JobsSearch) {
  return {
    ...(q === undefined ? {} : { search: q }),
    ...(state === undefined ? {} : { state: state.join(",") }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** All jobs that match, youngest first, page by page as the reader scrolls. */
export function jobsQuery(search: JobsSearch) {
  return infiniteQueryOptions({
    queryKey: ["jobs", "list", search],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      answer(api.GET("/v1/jobs", { params: { query: { ...filters(search), limit: PAGE, ...(pageParam === "" ? {} : { cursor: pageParam }) } } })),
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    // What changes is patched in by `freshJobs`: reading a hundred pages again every few seconds would be rude.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

/** Keeps a list that was read fresh: looks for new jobs and at those that move, and patches them in; every few seconds, unless the server tells. */
export function freshJobs(queries: QueryClient, search: JobsSearch, liveness: Liveness) {
  return queryOptions({
    queryKey: ["jobs", "fresh", search],
    queryFn: async () => {
      const { key, data } = listOf(queries, search);
      if (data === undefined) return 0;
      const open = search.state?.filter((state) => isOpen({ state })) ?? [...OPEN_STATES];
      const read = async (query: object) => answer(api.GET("/v1/jobs", { params: { query: { ...filters(search), limit: MOST, ...query } } }));
      const [newest, moving] = await Promise.all([
        read({ limit: 20 }),
        open.length === 0 ? { jobs: [], next_cursor: null } : read({ state: open.join(",") }),
      ]);
      const known = data.pages.flatMap(({ jobs }) => jobs);
      const seen = new Map([...newest.jobs, ...moving.jobs].map((job) => [job.id, job]));
      // Open when they were last read, and not among the open ones now: they ended.
      const ended = moving.next_cursor == null ? known.filter((job) => isOpen(job) && !seen.has(job.id)) : [];
      if (ended.length > ONE_BY_ONE) {
        await queries.invalidateQueries({ queryKey: key });
        return Date.now();
      }
      const gone = new Set<string>();
      for (const result of await Promise.all(ended.map(({ id }) => readOrGone(id)))) {
        if (typeof result === "string") gone.add(result);
        else seen.set(result.id, result);
      }
      queries.setQueryData<InfiniteData<Page, string>>(key, (before) => before && patched(before, seen, gone));
      return Date.now();
    },
    refetchInterval: liveness === "live" ? SELDOM_MS : POLL_MS,
  });
}

/**
 * Reads these jobs, of which the server told that something happened to them, and patches them into a list that was read.
 *
 * @param ids at most `ONE_BY_ONE`
 */
export async function readChanged(queries: QueryClient, search: JobsSearch, ids: readonly string[]) {
  const { key, data } = listOf(queries, search);
  if (data === undefined) return;
  const known = new Set(data.pages.flatMap(({ jobs }) => jobs.map(({ id }) => id)));
  const [gone, seen] = [new Set<string>(), new Map<string, Job>()];
  for (const result of await Promise.all(ids.map(readOrGone))) {
    if (typeof result === "string") gone.add(result);
    else if (known.has(result.id) || matches(result, search)) seen.set(result.id, result);
  }
  // Only the server knows what a search finds: those that are new to it are among the newest, or are found when it looks again.
  if (search.q !== undefined && ids.some((id) => !known.has(id))) {
    const { jobs } = await answer(api.GET("/v1/jobs", { params: { query: { ...filters(search), limit: ONE_BY_ONE } } }));
    for (const job of jobs) seen.set(job.id, job);
  }
  queries.setQueryData<InfiniteData<Page, string>>(key, (before) => before && patched(before, seen, gone));
}

function matches(job: Job, { q, state, profile }: JobsSearch): boolean {
  return q === undefined && (state?.includes(job.state) ?? true) && (profile ?? job.profile) === job.profile;
}

function listOf(queries: QueryClient, search: JobsSearch) {
  const key = jobsQuery(search).queryKey;
  return { key, data: queries.getQueryData(key) };
}

async function readOrGone(id: string): Promise<Job | string> {
  try {
    return await answer(api.GET("/v1/jobs/{id}", { params: { path: { id } } }));
  } catch (error) {
    if (error instanceof OffpeakError && error.status === 404) return id;
    throw error;
  }
}

/** The list with what is known better now, and with jobs that have come to it in their places. */
export function patched(before: InfiniteData<Page, string>, seen: ReadonlyMap<string, Job>, gone: ReadonlySet<string>): InfiniteData<Page, string> {
  const known = new Set(before.pages.flatMap(({ jobs }) => jobs.map(({ id }) => id)));
  // Ids are in the order of time. What is older than all that is loaded lies further down, and is read there.
  const isAll = before.pages.at(-1)?.next_cursor == null;
  const oldest = before.pages.flatMap(({ jobs }) => jobs).at(-1)?.id ?? "";
  const left = [...seen.values()].filter(({ id }) => !known.has(id) && (isAll || id > oldest));
  const pages = before.pages.map((page, index) => {
    const end = index === before.pages.length - 1 ? "" : (page.jobs.at(-1)?.id ?? "");
    const come = left.filter(({ id }) => id > end);
    for (const job of come) left.splice(left.indexOf(job), 1);
    const jobs = [...come, ...page.jobs.filter(({ id }) => !gone.has(id)).map((job) => seen.get(job.id) ?? job)];
    return { ...page, jobs: come.length === 0 ? jobs : jobs.sort((a, b) => (a.id < b.id ? 1 : -1)) };
  });
  return { ...before, pages };
}

/** The names of the team's profiles, for the filter. */
export const profileNamesQuery = queryOptions({
  queryKey: ["profiles", "names"],
  queryFn: async () => {
    const { profiles } = await answer(api.GET("/v1/profiles", { params: { query: { limit: MOST } } }));
    return profiles.map(({ profile }) => profile.name);
  },
  staleTime: 60_000,
});

export type Act = "cancel" | "retry" | "delete";

export interface ActResult {
  done: number;
  /** The first refusal, when there was one. */
  error?: unknown;
  failed: number;
}

/** So many requests at a time. */
const AT_ONCE = 6;

/** Does the same to many jobs; what is refused does not stop the others. */
export async function actOnJobs(act: Act, ids: readonly string[]): Promise<ActResult> {
  const result: ActResult = { done: 0, failed: 0 };
  const left = [...ids];
  const one = (id: string) => {
    const path = { id };
    switch (act) {
      case "cancel":
        return answer(api.POST("/v1/jobs/{id}/cancel", { params: { path, ...once() } }));
      case "retry":
        return answer(api.POST("/v1/jobs/{id}/retry", { params: { path, ...once() } }));
      case "delete":
        return answer(api.DELETE("/v1/jobs/{id}", { params: { path } }));
    }
  };
  const work = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      try {
        await one(id);
        result.done++;
      } catch (error) {
        result.failed++;
        result.error ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return result;
}
