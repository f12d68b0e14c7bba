/** What an API is: made by `defineApi`, plain data. */

/** A part of a route's path: text, or the value of a column. */
export type RouteSegment = Readonly<{ literal: string } | { parameter: string; column: string }>;

/** What a route answers with. */
export type RouteShape = Readonly<
  /** `{…parameters, "data": {key: value, …}}`, in the order of keys. */
  | { shape: "map"; key: string; value: string }
  /** `{…parameters, "rows": [{…}, …]}`. `columns`: all that are no parameters, unless said. */
  | { shape: "rows"; columns: readonly string[] | undefined }
  /** `{…parameters, …columns}` of the only row. */
  | { shape: "single"; columns: readonly string[] | undefined }
>;

/** **route** an address of an API's own, in the words of its readers. */
export type RouteSpec = Readonly<{
  path: string;
  segments: readonly RouteSegment[];
  dataset: string;
  summary: string | undefined;
  shape: RouteShape;
}>;

/** **API** datasets that are served over HTTP, and how. */
export type ApiSpec = Readonly<{
  name: string;
  title: string;
  description: string;
  version: string;
  datasets: readonly string[];
  routes: readonly RouteSpec[];
  licence: Readonly<{ name: string; url: string | undefined }> | undefined;
  contact: Readonly<{ name?: string; email?: string; url?: string }> | undefined;
  /** Whether datasets whose rows belong to tenants may be served to everybody. */
  servesTenantRows: boolean;
}>;

/** Columns of a route's path, in their order. */
export const routeColumns = ({ segments }: RouteSpec): readonly string[] =>
  segments.flatMap((segment) => ("column" in segment ? [segment.column] : []));

/** First parts of paths that are not a route's to take. */
export const ownSegments: readonly string[] = [
  "datasets",
  "v",
  "openapi",
  "openapi.json",
  "docs",
  "live",
  "ready",
  "metrics",
  "assets",
  "sql",
];
