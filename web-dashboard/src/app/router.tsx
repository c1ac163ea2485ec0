import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Failed, Loading } from "../components/states";
import { OffpeakError } from "../lib/api";
import { sessionQuery } from "../lib/session";
import { jobSearch } from "../features/job/search";
import { jobsSearch } from "../features/jobs/search";
import { machinesSearch } from "../features/machines/search";
import { profilesSearch } from "../features/profiles/search";
import { webhookSearch } from "../features/webhooks/search";
import { logIn } from "./log-in";
import { NotFound } from "./not-found";
import { Shell } from "./shell/shell";

interface Context {
  queries: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  component: Shell,
  notFoundComponent: NotFound,
  beforeLoad: async ({ context }) => {
    try {
      await context.queries.query({ ...sessionQuery, staleTime: "static" });
    } catch (error) {
      if (!(error instanceof OffpeakError && error.status === 401)) throw error;
      logIn();
      // The browser is leaving: nothing is to be drawn before it has.
      await new Promise(() => undefined);
    }
  },
});

/** A page, loaded when it is first opened. */
const route = <const Path extends string>(path: Path) => ({ getParentRoute: () => root, path }) as const;

const overview = createRoute({
  ...route("/"),
  component: lazyRouteComponent(() => import("../features/overview/overview-page"), "OverviewPage"),
});
const jobs = createRoute({
  ...route("/jobs"),
  validateSearch: jobsSearch,
  component: lazyRouteComponent(() => import("../features/jobs/jobs-page"), "JobsPage"),
});
const job = createRoute({
  ...route("/jobs/$job"),
  validateSearch: jobSearch,
  component: lazyRouteComponent(() => import("../features/job/job-page"), "JobPage"),
});
const upload = createRoute({
  ...route("/upload"),
  component: lazyRouteComponent(() => import("../features/upload/upload-page"), "UploadPage"),
});
const machines = createRoute({
  ...route("/machines"),
  validateSearch: machinesSearch,
  component: lazyRouteComponent(() => import("../features/machines/machines-page"), "MachinesPage"),
});
const enrol = createRoute({
  ...route("/machines/enrol"),
  component: lazyRouteComponent(() => import("../features/machines/enrol-page"), "EnrolPage"),
});
const machine = createRoute({
  ...route("/machines/$machine"),
  component: lazyRouteComponent(() => import("../features/machines/machine-page"), "MachinePage"),
});
const policies = createRoute({
  ...route("/policies"),
  component: lazyRouteComponent(() => import("../features/policies/policies-page"), "PoliciesPage"),
});
const policy = createRoute({
  ...route("/policies/$group"),
  component: lazyRouteComponent(() => import("../features/policies/policy-page"), "PolicyPage"),
});
const profiles = createRoute({
  ...route("/profiles"),
  component: lazyRouteComponent(() => import("../features/profiles/profiles-page"), "ProfilesPage"),
});
const newProfile = createRoute({
  ...route("/profiles/new"),
  validateSearch: profilesSearch,
  component: lazyRouteComponent(() => import("../features/profiles/new-profile-page"), "NewProfilePage"),
});
const profile = createRoute({
  ...route("/profiles/$profile"),
  component: lazyRouteComponent(() => import("../features/profiles/profile-page"), "ProfilePage"),
});
const webhooks = createRoute({
  ...route("/webhooks"),
  component: lazyRouteComponent(() => import("../features/webhooks/webhooks-page"), "WebhooksPage"),
});
const webhook = createRoute({
  ...route("/webhooks/$webhook"),
  validateSearch: webhookSearch,
  component: lazyRouteComponent(() => import("../features/webhooks/webhook-page"), "WebhookPage"),
});
const tokens = createRoute({
  ...route("/tokens"),
  component: lazyRouteComponent(() => import("../features/tokens/tokens-page"), "TokensPage"),
});
const teams = createRoute({
  ...route("/teams"),
  component: lazyRouteComponent(() => import("../features/teams/teams-page"), "TeamsPage"),
});
const team = createRoute({
  ...route("/teams/$team"),
  component: lazyRouteComponent(() => import("../features/teams/team-page"), "TeamPage"),
});
const people = createRoute({
  ...route("/people"),
  component: lazyRouteComponent(() => import("../features/people/people-page"), "PeoplePage"),
});
const settings = createRoute({
  ...route("/settings"),
  component: lazyRouteComponent(() => import("../features/settings/settings-page"), "SettingsPage"),
});

const routeTree = root.addChildren([
  overview,
  jobs,
  job,
  upload,
  machines,
  enrol,
  machine,
  policies,
  policy,
  profiles,
  newProfile,
  profile,
  webhooks,
  webhook,
  tokens,
  teams,
  team,
  people,
  settings,
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    context: { queries },
    defaultPreload: "intent",
    scrollRestoration: true,
    defaultPendingComponent: () => <Loading />,
    defaultErrorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
    defaultNotFoundComponent: NotFound,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
