import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconCloudUpload, IconMovie, IconSearchOff } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { DataTable } from "../../components/data-table";
import { Page, Panel } from "../../components/page";
import { Empty, Failed, LoadingRows } from "../../components/states";
import { nameOfJob } from "../../lib/jobs";
import { freshJobs, jobsQuery } from "./api/jobs";
import { useLiveJobs } from "./api/live-jobs";
import { BulkBar } from "./components/bulk-bar";
import { columns } from "./components/columns";
import { Filters } from "./components/filters";
import classes from "./jobs-page.module.css";
import type { JobsSearch } from "./search";

const route = getRouteApi("/jobs");
const ROW = 58;
const PHONE_ROW = 82;

/** All jobs of the team, live. */
export function JobsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const list = useInfiniteQuery(jobsQuery(search));
  const liveness = useLiveJobs(search);
  useQuery({ ...freshJobs(queries, search, liveness), enabled: list.data !== undefined });
  const isWide = useMediaQuery("(min-width: 48em)", true, { getInitialValueInEffect: false });
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());

  const wanted = search.state;
  // What was patched in may have moved on to a state that is not asked for.
  const jobs = (list.data?.pages.flatMap((page) => page.jobs) ?? []).filter(({ state }) => wanted?.includes(state) ?? true);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const selected = jobs.filter(({ id }) => ids.has(id));
  const change = (next: JobsSearch) => {
    setIds(new Set());
    void navigate({ search: next, replace: true, resetScroll: false });
  };
  const isFiltered = Object.keys(search).length > 0;

  return (
    <Page
      title="Jobs"
      actions={
        <Button component={Link} to="/upload" leftSection={<IconCloudUpload size={18} aria-hidden />}>
          Upload
        </Button>
      }
    >
      <Filters search={search} change={change} />
      <Panel flush>
        {list.data === undefined ? (
          list.error === null ? (
            <LoadingRows rows={10} />
          ) : (
            <Failed error={list.error} retry={() => void list.refetch()} />
          )
        ) : jobs.length === 0 ? (
          <Nothing isFiltered={isFiltered} clear={() => { change({}); }} />
        ) : (
          <DataTable
            label="Jobs"
            rows={jobs}
            idOf={({ id }) => id}
            columns={columns}
            rowHeight={isWide ? ROW : PHONE_ROW}
            selection={{
              ids,
              change: setIds,
              nameOf: (id) => {
                const job = byId.get(id);
                return job === undefined ? id : nameOfJob(job);
              },
            }}
            onEnd={() => {
              if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage();
            }}
            footer={list.hasNextPage ? <LoadingRows rows={2} /> : <p className={classes.end}>{`${jobs.length} job${jobs.length === 1 ? "" : "s"}`}</p>}
          />
        )}
      </Panel>
      {selected.length > 0 && (
        <BulkBar
          selected={selected}
          clear={() => {
            setIds(new Set());
          }}
        />
      )}
    </Page>
  );
}

function Nothing({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }) {
  if (isFiltered) {
    return (
      <Empty
        icon={<IconSearchOff size={28} stroke={1.6} />}
        title="No job matches"
        action={
          <Button variant="default" onClick={clear}>
            Show all jobs
          </Button>
        }
      >
        Look for another word, or for jobs in any state.
      </Empty>
    );
  }
  return (
    <Empty
      icon={<IconMovie size={28} stroke={1.6} />}
      title="No jobs yet"
      action={
        <Button component={Link} to="/upload">
          Upload a film
        </Button>
      }
    >
      A job is one film through one profile. Upload one here, or let a program do it.
    </Empty>
  );
}
