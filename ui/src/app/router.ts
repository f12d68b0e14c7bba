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

export const router = createRouter({
  routeTree,
  basepath: basePath,
  parseSearch,
  stringifySearch: printSearch,
  defaultPreload: "intent",
  defaultErrorComponent: CrashedPage, // In the page's place: what stands around it stays.
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
