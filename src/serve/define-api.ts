/** An API: its datasets, and the routes that people think of first. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { ApiSpec, RouteSegment, RouteShape, RouteSpec } from "../ports/api-spec.ts";
import { ownSegments } from "../ports/api-spec.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import { checkRoute } from "./check-route.ts";

/** A route, as it is declared. Its parameters are columns of the dataset, by name or through `parameters`. */
export type RouteDeclaration = Readonly<{
  /** `/year/{year}/geo_code/{geo_code}` */
  path: string;
  /** Name of one of the API's datasets. */
  dataset: string;
  summary?: string;
  /** Columns of parameters that have another name: `{ area: "geo_code" }`. */
  parameters?: Readonly<Record<string, string>>;
}> &
  Readonly<
    | {
        /** One column as key of `data`, one as value; dates in order. */
        shape: "map";
        key: string;
        value: string;
      }
    | {
        /** `rows`: all that match, as objects. `single`: the only one that matches; the parameters hold the dataset's key. */
        shape: "rows" | "single";
        /** Default: all columns that are no parameters. */
        columns?: readonly string[];
      }
  >;

/** What `defineApi` takes. */
export type ApiDeclaration = Readonly<{
  /** Letters, digits, `_` and `-`. Default `api`. */
  name?: string;
  title: string;
  /** What it is about, for people; Markdown. */
  description: string;
  /** Of the API, not of its data. Default `1`. */
  version?: string;
  /** Datasets, or names of some that were built elsewhere: routes over these are checked when a version is loaded. */
  datasets: readonly (DatasetSpec | string)[];
  routes?: readonly RouteDeclaration[];
  licence?: string | Readonly<{ name: string; url?: string }>;
  contact?: Readonly<{ name?: string; email?: string; url?: string }>;
  /** Says that rows of tenants (`tenantColumn`) may be read by everybody. Without it such a dataset is refused. */
  servesTenantRows?: boolean;
}>;

const text = z.string().min(1, "must not be empty");
const isDataset = (value: unknown): value is DatasetSpec =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as DatasetSpec).name === "string" && // A guard: nothing is known of the value yet.
  Array.isArray((value as DatasetSpec).columns);

const routeFacts = {
  path: text.startsWith("/", "must begin with /").max(200, "is longer than 200 characters"),
  dataset: text,
  summary: text.optional(),
  parameters: z.record(z.string(), text).optional(),
};

const columnsSchema = z.array(text).min(1, "must name at least one column").optional();

const routeSchema = z.discriminatedUnion("shape", [
  z.strictObject({ ...routeFacts, shape: z.literal("map"), key: text, value: text }),
  z.strictObject({ ...routeFacts, shape: z.literal("rows"), columns: columnsSchema }),
  z.strictObject({ ...routeFacts, shape: z.literal("single"), columns: columnsSchema }),
]);

const apiSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,63}$/, "must be at most 63 letters, digits, _ and -")
    .default("api"),
  title: text,
  description: text,
  version: text.default("1"),
  datasets: z
    .array(
      z.union([text, z.custom<DatasetSpec>(isDataset, "is no dataset: make it with defineDataset(...)")]),
    )
    .min(1, "must name at least one dataset"),
  routes: z.array(routeSchema).default([]),
  licence: z.union([text, z.strictObject({ name: text, url: z.url().optional() })]).optional(),
  contact: z
    .strictObject({ name: text.optional(), email: z.email().optional(), url: z.url().optional() })
    .optional(),
  servesTenantRows: z.boolean().default(false),
});

/**
 * Declares an API over datasets.
 *
 * @example
 * ```ts
 * defineApi({
 *   title: "Deaths by area",
 *   description: "Monthly figures on deaths registered.",
 *   datasets: [deaths],
 *   routes: [
 *     { path: "/year/{year}/geo_code/{geo_code}", dataset: "deaths", shape: "map", key: "month", value: "deaths" },
 *   ],
 * });
 * ```
 * @returns the API, complete and frozen. Nothing is read or opened.
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault and its path.
 */
export function defineApi(declaration: ApiDeclaration): ApiSpec {
  const what = typeof declaration?.title === "string" ? `The API "${declaration.title}"` : "The API";
  const parsed = apiSchema.safeParse(declaration);
  if (!parsed.success) refuseFaults(faultsOf(parsed.error), what);
  const declared = parsed.data!; // `refuseFaults` has thrown otherwise: a failed parse has at least one issue.
  const { routes, datasets, licence, contact, ...rest } = declared;
  const names = datasets.map((dataset) => (typeof dataset === "string" ? dataset : dataset.name));
  const faults: Fault[] = [...datasetFaults(names, datasets, rest.servesTenantRows)];
  const read = routes.map((route, index) => readRoute(route, `routes[${index}]`, faults));
  for (const [index, route] of read.entries()) {
    faults.push(...routeFaults(route, `routes[${index}]`, names, datasets));
    const twin = read.findIndex((other) => shapeOfPath(other) === shapeOfPath(route));
    if (twin < index)
      faults.push({
        path: `routes[${index}].path`,
        problem: `matches the same addresses as routes[${twin}]`,
      });
  }
  refuseFaults(faults, what);
  return Object.freeze({
    ...rest,
    datasets: Object.freeze(names),
    routes: Object.freeze(read),
    licence: typeof licence === "string" ? { name: licence, url: undefined } : withUrl(licence),
    contact: contact === undefined ? undefined : Object.freeze(JSON.parse(JSON.stringify(contact))), // Without what is undefined.
  });
}

const withUrl = (licence: { name: string; url?: string | undefined } | undefined): ApiSpec["licence"] =>
  licence === undefined ? undefined : { name: licence.name, url: licence.url };

function datasetFaults(
  names: readonly string[],
  datasets: readonly (DatasetSpec | string)[],
  servesTenantRows: boolean,
): Fault[] {
  return datasets.flatMap((dataset, index) => {
    const path = `datasets[${index}]`;
    const faults: Fault[] = [];
    const twin = names.indexOf(names[index]!);
    if (twin < index) faults.push({ path, problem: `"${names[index]}" is also datasets[${twin}]` });
    if (typeof dataset !== "string" && dataset.tenantColumn !== undefined && !servesTenantRows)
      faults.push({
        path,
        problem: `"${dataset.name}" holds rows of tenants (${dataset.tenantColumn}), and everybody could read them; serve a dataset without them, or say servesTenantRows: true`,
      });
    return faults;
  });
}

function readRoute(route: z.output<typeof routeSchema>, path: string, faults: Fault[]): RouteSpec {
  const segments = route.path
    .slice(1)
    .split("/")
    .map((part): RouteSegment => {
      const name = /^\{([^{}]+)\}$/.exec(part)?.[1];
      if (name !== undefined) return { parameter: name, column: route.parameters?.[name] ?? name };
      if (!/^[A-Za-z0-9._~-]+$/.test(part) || part.startsWith("."))
        faults.push({
          path: `${path}.path`,
          problem: `"${part}" is neither a parameter such as {year} nor letters, digits and . _ ~ -`,
        });
      return { literal: part };
    });
  const [first] = segments;
  if (first !== undefined && "literal" in first && ownSegments.includes(first.literal))
    faults.push({
      path: `${path}.path`,
      problem: `must not begin with /${first.literal}, which is leat's own`,
    });
  if (first === undefined || !("literal" in first))
    faults.push({
      path: `${path}.path`,
      problem: "must begin with a word: a parameter there would take every address",
    });
  const parameters = segments.flatMap((segment) => ("parameter" in segment ? [segment.parameter] : []));
  for (const name of Object.keys(route.parameters ?? {}))
    if (!parameters.includes(name))
      faults.push({ path: `${path}.parameters.${name}`, problem: "is no parameter of the path" });
  if (parameters.length === 0)
    faults.push({ path: `${path}.path`, problem: "has no parameter such as {year}" });
  const shape: RouteShape =
    route.shape === "map"
      ? { shape: "map", key: route.key, value: route.value }
      : { shape: route.shape, columns: route.columns };
  return Object.freeze({ path: route.path, segments, dataset: route.dataset, summary: route.summary, shape });
}

const shapeOfPath = ({ segments }: RouteSpec): string =>
  segments.map((segment) => ("literal" in segment ? segment.literal : "{}")).join("/");

function routeFaults(
  route: RouteSpec,
  path: string,
  names: readonly string[],
  datasets: readonly (DatasetSpec | string)[],
): Fault[] {
  const dataset = datasets[names.indexOf(route.dataset)];
  if (dataset === undefined)
    return [
      {
        path: `${path}.dataset`,
        problem: `"${route.dataset}" is no dataset of the API. ${hintOfKnown(route.dataset, "datasets", names)}`,
      },
    ];
  if (typeof dataset === "string") return [];
  const columns = dataset.columns.map(({ published }) => published);
  return checkRoute(route, { columns, key: dataset.key }).map(({ where, problem }) => ({
    path: `${path}.${where}`,
    problem,
  }));
}
