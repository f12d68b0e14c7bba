/** Routes of the pages of Build. */
import { createRoute } from "@tanstack/react-router";
import { z } from "zod/mini";
import { lazyPage } from "../../app/lazy-page.ts";
import { rootRoute } from "../../app/root-route.tsx";
import { searchFlag, searchText, searchTexts, searchWord } from "../../app/search-fields.ts";

const flows = createRoute({
  getParentRoute: () => rootRoute,
  path: "/flows",
  validateSearch: z.object({ find: searchText, sort: searchText }),
  component: lazyPage(() => import("./flows-page.tsx"), "FlowsPage"),
});

const flow = createRoute({
  getParentRoute: () => rootRoute,
  path: "/flows/$name",
  validateSearch: z.object({
    tab: searchWord(["graph", "runs", "deployments", "code"]),
    node: searchText,
    state: searchTexts,
    sort: searchText,
    hide: searchText,
  }),
  component: lazyPage(() => import("./flow-page.tsx"), "FlowPage"),
});

const deployments = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deployments",
  validateSearch: z.object({ find: searchText, sort: searchText, hide: searchText }),
  component: lazyPage(() => import("./deployments-page.tsx"), "DeploymentsPage"),
});

const deployment = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deployments/$name",
  validateSearch: z.object({
    tab: searchWord(["overview", "runs", "schedules", "parameters"]),
    /** The dialog that starts a run is open. */
    run: searchFlag,
    /** Run whose parameters the dialog begins with. */
    from: searchText,
    state: searchTexts,
    sort: searchText,
    hide: searchText,
  }),
  component: lazyPage(() => import("./deployment-page.tsx"), "DeploymentPage"),
});

const schedules = createRoute({
  getParentRoute: () => rootRoute,
  path: "/schedules",
  validateSearch: z.object({ find: searchText, paused: searchFlag, sort: searchText }),
  component: lazyPage(() => import("./schedules-page.tsx"), "SchedulesPage"),
});

export const buildRoutes = [flows, flow, deployments, deployment, schedules] as const;
