/** Routes of the pages of Data. */
import { createRoute } from "@tanstack/react-router";
import { z } from "zod/mini";
import { lazyPage } from "../../app/lazy-page.ts";
import { rootRoute } from "../../app/root-route.tsx";
import { searchCount, searchFlag, searchText, searchTexts, searchWord } from "../../app/search-fields.ts";

/** Characters of a query in an address: what every browser and server takes. */
const queryLengthMax = 6000;

/** How a table is looked at. */
const tableFields = {
  /** Conditions, each as `column.operator=value`. */
  filter: searchTexts,
  sort: searchText,
  hide: searchText,
  /** Column whose commonest values are shown. */
  facet: searchText,
  /** Number of the row that is looked into, from 1. */
  row: searchCount,
  /** Number of the row that was gone to. */
  at: searchCount,
} as const;

const datasets = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets",
  validateSearch: z.object({ find: searchText, sort: searchText, hide: searchText }),
  component: lazyPage(() => import("./datasets-page.tsx"), "DatasetsPage"),
});

const dataset = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/$name",
  validateSearch: z.object({
    ...tableFields,
    tab: searchWord(["table", "chart", "columns", "quality", "versions", "lineage"]),
    /** What the chart shows: `by` along, `measure` up. */
    by: searchText,
    measure: searchText,
    /** The chart's numbers are shown as a table. */
    numbers: searchFlag,
    /** Versions that are compared. */
    before: searchText,
    after: searchText,
  }),
  component: lazyPage(() => import("./dataset-page.tsx"), "DatasetPage"),
});

const table = createRoute({
  getParentRoute: () => rootRoute,
  path: "/tables/$stream",
  validateSearch: z.object({
    ...tableFields,
    tab: searchWord(["table", "columns"]),
    of: searchWord(["landed", "current"]),
    /** Package of which the rows are. */
    seq: searchCount,
  }),
  component: lazyPage(() => import("./stream-table-page.tsx"), "StreamTablePage"),
});

const sql = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sql",
  validateSearch: z.object({
    q: z.catch(z.optional(z.string().check(z.maxLength(queryLengthMax))), undefined),
    limit: searchCount,
    side: searchWord(["tables", "history", "saved"]),
  }),
  component: lazyPage(() => import("./sql-page.tsx"), "SqlPage"),
});

const reference = createRoute({
  getParentRoute: () => rootRoute,
  path: "/reference",
  validateSearch: z.object({ find: searchText, of: searchText }),
  component: lazyPage(() => import("./reference-page.tsx"), "ReferencePage"),
});

export const dataRoutes = [datasets, dataset, table, sql, reference] as const;
