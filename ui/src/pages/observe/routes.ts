/** Routes of the pages of Observe. */
import { createRoute } from "@tanstack/react-router";
import { z } from "zod/mini";
import { lazyPage } from "../../app/lazy-page.ts";
import { queryClient } from "../../app/query-client.ts";
import { rootRoute } from "../../app/root-route.tsx";
import { searchCount, searchFlag, searchText, searchTexts, searchWord } from "../../app/search-fields.ts";
import { logLayoutQuery } from "../../client/log-queries.ts";
import { runQuery } from "../../client/run-queries.ts";

const home = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: lazyPage(() => import("./home-page.tsx"), "HomePage"),
});

const runs = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs",
  validateSearch: z.object({
    view: searchWord(["list", "timeline"]),
    state: searchTexts,
    flow: searchText,
    deployment: searchText,
    key: searchText,
    parent: searchText,
    since: searchText,
    sort: searchText,
    hide: searchText,
    group: searchWord(["flow", "deployment", "key"]),
  }),
  component: lazyPage(() => import("./runs-page.tsx"), "RunsPage"),
});

const run = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$id",
  validateSearch: z.object({
    tab: searchWord(["watch", "outputs", "parameters", "events", "tasks"]),
    /** Name of the node that is chosen in the graph. */
    node: searchText,
    /** Key of the task that is chosen. */
    task: searchText,
    attempt: searchCount,
    level: searchTexts,
    /** Text that is looked for in the log. */
    find: searchText,
    /** Line that is pointed at, by its id. */
    line: searchCount,
    /** Only the lines of the chosen task. */
    own: searchFlag,
    /** States of tasks in the list of tasks. */
    state: searchTexts,
    sort: searchText,
    hide: searchText,
  }),
  // What the page asks first is asked while the page itself still comes.
  loaderDeps: ({ search: { task, attempt, level } }) => ({ task, attempt, level }),
  loader: ({ params: { id }, deps: choice }) => {
    void queryClient.prefetchQuery(runQuery(id));
    void queryClient.prefetchQuery(logLayoutQuery(id, choice));
  },
  component: lazyPage(() => import("./run-page.tsx"), "RunPage"),
});

const alerts = createRoute({
  getParentRoute: () => rootRoute,
  path: "/alerts",
  validateSearch: z.object({
    tab: searchWord(["open", "rules", "channels", "history"]),
    kind: searchTexts,
  }),
  component: lazyPage(() => import("./alerts-page.tsx"), "AlertsPage"),
});

export const observeRoutes = [home, runs, run, alerts] as const;
