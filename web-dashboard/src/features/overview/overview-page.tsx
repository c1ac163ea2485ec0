import { Button } from "@mantine/core";
import { IconCloudUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { Figure } from "../../components/facts";
import { Columns, Page, Panel } from "../../components/page";
import { useNow } from "../../components/relative-time";
import { Loaded, LoadingRows } from "../../components/states";
import type { Schemas } from "../../lib/api";
import { duration } from "../../lib/time";
import { failedQuery, fleetQuery, historyQuery, monthQuery, priceQuery, runningQuery, SAVED_OVER_DAYS, todayQuery, webhooksQuery } from "./api/overview";
import { Attention } from "./components/attention";
import { FleetPanel } from "./components/fleet-panel";
import { Running } from "./components/running";
import { Savings, SetPrice } from "./components/savings";
import classes from "./overview-page.module.css";
import { throughput } from "./throughput";

const ThroughputChart = lazy(() => import("./components/throughput-chart").then(({ ThroughputChart }) => ({ default: ThroughputChart })));

/** The farm at a glance. */
export function OverviewPage() {
  const today = useQuery(todayQuery);
  const month = useQuery(monthQuery);
  const fleet = useQuery(fleetQuery);
  const history = useQuery(historyQuery);
  const running = useQuery(runningQuery);
  const failed = useQuery(failedQuery);
  const webhooks = useQuery(webhooksQuery);
  const price = useQuery(priceQuery);

  return (
    <Page
      title="Overview"
      actions={
        <Button component={Link} to="/upload" leftSection={<IconCloudUpload size={18} aria-hidden />}>
          Upload
        </Button>
      }
    >
      <Loaded query={today} loading={<LoadingRows rows={1} height={104} />}>
        {(figures) => <Today figures={figures} fleet={fleet.data} />}
      </Loaded>
      <div className={classes.main}>
        <Panel title="Speed" about="How many times as fast as it plays film was encoded, over the last day">
          <Loaded query={history} loading={<div className={classes.chart} />}>
            {(samples) => <Speed samples={samples} now={fleet.data?.speed.real_time ?? 0} />}
          </Loaded>
        </Panel>
        <Panel title="Fleet" aside={fleet.data !== undefined && <span className={classes.soft}>{fleet.data.online} online</span>}>
          <Loaded query={fleet} loading={<LoadingRows rows={4} height={30} />}>
            {(figures) => <FleetPanel fleet={figures} />}
          </Loaded>
        </Panel>
        <Panel
          title="Under way"
          aside={
            <Link to="/jobs" className={classes.more}>
              All jobs
            </Link>
          }
        >
          <Loaded query={running} loading={<LoadingRows rows={3} height={36} />}>
            {(jobs) => <Running jobs={jobs} />}
          </Loaded>
        </Panel>
        <Panel title="Needs attention">
          <Attention fleet={fleet.data} failed={failed.data ?? []} webhooks={webhooks.data ?? []} />
        </Panel>
      </div>
      <Panel
        title="Saved"
        about={`Over the last ${SAVED_OVER_DAYS} days, by this team`}
        aside={price.data !== undefined && <SetPrice price={price.data} />}
      >
        <Loaded query={month} loading={<LoadingRows rows={1} height={64} />}>
          {(figures) => <Savings figures={figures} price={price.data ?? { per_minute: 0, currency: "USD" }} />}
        </Loaded>
      </Panel>
    </Page>
  );
}

function Today({ figures, fleet }: { figures: Schemas["JobFigures"]; fleet: Schemas["FleetFigures"] | undefined }) {
  const { open, ended } = figures;
  const atWork = (open.probing ?? 0) + (open.encoding ?? 0) + (open.finishing ?? 0);
  const failed = ended.failed ?? 0;
  return (
    <Panel>
      <Columns min="8.5rem">
        <Figure label="Running" value={atWork} note={fleet === undefined ? undefined : `on ${fleet.speed.encoding} machine${fleet.speed.encoding === 1 ? "" : "s"}`} />
        <Figure label="Waiting" value={open.queued ?? 0} note="for a machine" />
        <Figure label="Done today" value={ended.completed ?? 0} note={failed === 0 ? "none failed" : `${failed} failed`} />
        <Figure label="Film made today" value={figures.film_seconds === 0 ? "–" : duration(figures.film_seconds)} note="in every rung of its ladder" />
        <Figure label="Speed now" value={fleet === undefined ? "–" : `${fleet.speed.real_time.toFixed(1)}×`} note="real time" />
      </Columns>
    </Panel>
  );
}

function Speed({ samples, now }: { samples: Schemas["FleetSample"][]; now: number }) {
  const present = useNow();
  // A point a minute: drawing it anew every ten seconds would show nothing new.
  const minute = Math.floor(present / 60_000) * 60_000;
  const data = useMemo(() => throughput(samples, minute), [samples, minute]);
  return (
    <div className={classes.speed}>
      <p className={classes.words}>
        {data.most === 0
          ? "Nothing was encoded in the last day."
          : `${now.toFixed(1)}× now, ${data.usual.toFixed(1)}× on average while anything was encoded, ${data.most.toFixed(1)}× at most.`}
      </p>
      <Suspense fallback={<div className={classes.chart} />}>
        <ThroughputChart points={data.points} from={data.from} to={data.to} />
      </Suspense>
    </div>
  );
}
