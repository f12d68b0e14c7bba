/** All pages. */
import { createRouter } from "@tanstack/react-router";
import { basePath } from "../client/request.ts";
import { buildRoutes } from "../pages/build/routes.ts";
import { configureRoutes } from "../pages/configure/routes.ts";
import { dataRoutes } from "../pages/data/routes.ts";
import { ingestRoutes } from "../pages/ingest/routes.ts";
import { observeRoutes } from "../pages/observe/routes.ts";
import { CrashedPage } from "./odd-pages.tsx";
import { rootRoute } from "./root-route.tsx";
import { parseSearch, printSearch } from "./search-text.ts";

const routeTree = rootRoute.addChildren([
  ...observeRoutes,
  ...buildRoutes,
  ...ingestRoutes,
  ...dataRoutes,
  ...configureRoutes,
]);

/** Page whose places were restored last. */
let restored: string | undefined;

/**
 * Whether another page is shown than before: there people find what they left as they left it. Within a page it is the
 * page that knows where it stands: a table in another order, or at another row, was put back to where it had been.
 */
function isOtherPage(path: string): boolean {
  const isOther = path !== restored;
  restored = path;
  return isOther;
}

export const router = createRouter({
  routeTree,
  basepath: basePath,
  parseSearch,
  stringifySearch: printSearch,
  defaultPreload: "intent",
  defaultErrorComponent: CrashedPage, // In the page's place: what stands around it stays.
  scrollRestoration: ({ location }) => isOtherPage(location.pathname),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
