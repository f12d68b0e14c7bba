/** Routes of the pages of Ingest. */
import { createRoute } from "@tanstack/react-router";
import { z } from "zod/mini";
import { lazyPage } from "../../app/lazy-page.ts";
import { rootRoute } from "../../app/root-route.tsx";
import { searchCount, searchFlag, searchText, searchTexts, searchWord } from "../../app/search-fields.ts";

const listFields = {
  /** Text that names must have. */
  find: searchText,
  sort: searchText,
  hide: searchText,
} as const;

const sources = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sources",
  validateSearch: z.object({ ...listFields, status: searchTexts }),
  component: lazyPage(() => import("./sources-page.tsx"), "SourcesPage"),
});

const source = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sources/$source",
  validateSearch: z.object({
    ...listFields,
    tab: searchWord(["endpoints", "tenants", "changes", "settings"]),
    status: searchTexts,
  }),
  component: lazyPage(() => import("./source-page.tsx"), "SourcePage"),
});

const endpoint = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sources/$source/$tenant/$stream",
  validateSearch: z.object({
    tab: searchWord(["status", "cursor", "runs", "files", "sample"]),
    /** The cursor is being edited. */
    edit: searchFlag,
    /** Package and key of the file that is looked into. */
    seq: searchCount,
    file: searchText,
    sort: searchText,
    hide: searchText,
  }),
  component: lazyPage(() => import("./endpoint-page.tsx"), "EndpointPage"),
});

const files = createRoute({
  getParentRoute: () => rootRoute,
  path: "/files",
  validateSearch: z.object({
    stream: searchText,
    seq: searchCount,
    file: searchText,
    sort: searchText,
    hide: searchText,
  }),
  component: lazyPage(() => import("./files-page.tsx"), "FilesPage"),
});

const loads = createRoute({
  getParentRoute: () => rootRoute,
  path: "/loads",
  validateSearch: z.object({ ...listFields, source: searchText, only: searchWord(["rejected"]) }),
  component: lazyPage(() => import("./loads-page.tsx"), "LoadsPage"),
});

const load = createRoute({
  getParentRoute: () => rootRoute,
  path: "/loads/$stream/$tenant/$seq",
  validateSearch: z.object({
    tab: searchWord(["counts", "schema", "rejects"]),
    sort: searchText,
    hide: searchText,
  }),
  component: lazyPage(() => import("./load-page.tsx"), "LoadPage"),
});

export const ingestRoutes = [sources, source, endpoint, files, loads, load] as const;
