/** A share: which streams and datasets, of which tenants, go to which warehouse, and which of their columns. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import { foldColumnName } from "../model/column-names.ts";
import { parseDuration } from "../model/duration.ts";
import { leatPrefix } from "../model/stream.ts";
import type { ShareColumn, ShareKeep, ShareSpec, ShareTable } from "../ports/share.ts";
import type { Tenant } from "../ports/source.ts";

/** How one column is shared. */
export type ShareColumnOptions = Readonly<{
  /** Its name at the customer's. Default: its own. */
  as?: string;
  /** Share a salted hash of each value instead: equal values stay equal, and nothing else is told. Default false. */
  mask?: boolean;
  /** Whether it is fine that a customer's records never have it. Default false: a slip in a name is an error. */
  optional?: boolean;
}>;

/**
 * The columns that are shared, and no others: a list of names, or for each its new name, options, or `true`. A new column
 * of the source is not shared until it is named here.
 */
export type ShareColumns = readonly string[] | Readonly<Record<string, true | string | ShareColumnOptions>>;

/** A stream that is shared. */
export type ShareTableOptions = Readonly<{
  /** As `source.stream`. */
  stream: string;
  /** Its name at the customer's. Default: the stream's. */
  table?: string;
  /** Default: all, also those that the source may have one day. */
  columns?: ShareColumns;
}>;

/** A dataset that is shared: of its newest version the rows of the tenant, by the dataset's `tenantColumn`. */
export type ShareDatasetOptions = Readonly<{
  /** Its name. */
  dataset: string;
  /** Its name at the customer's. Default: the dataset's. */
  table?: string;
  /** Default: all, also those that the dataset may have one day. The tenant's column is always shared. */
  columns?: ShareColumns;
}>;

/** What `defineShare` takes. */
export type ShareDeclaration = Readonly<{
  /** Letters, digits and `_`. */
  name: string;
  /** Streams as `source.stream`, or with a name and columns of their own. */
  streams?: readonly (string | ShareTableOptions)[];
  /** Datasets by name, or with a table's name and columns of their own. Each must have a `tenantColumn`. */
  datasets?: readonly (string | ShareDatasetOptions)[];
  /** Ids of the tenants that take part. Default: all. Taking one out stops its share and removes nothing. */
  tenants?: readonly string[];
  /**
   * Where a tenant's rows go: `duckdb:PATH`, `postgres://…`, `bigquery://project/dataset`, `parquet:PATH`,
   * `parquet:gs://bucket/prefix` or `parquet:s3://bucket/prefix`; or the reference of a secret that holds one
   * (`env:NAME`, `file:PATH`, `gcp-secret:…`), which is the place for an address with a password. It is looked up when
   * the tenant's turn comes, and forgotten afterwards.
   *
   * @example (tenant) => `env:WAREHOUSE_${tenant.id}`
   */
  to: string | ((tenant: Tenant) => string);
  /**
   * `history` (default): every version of a record is kept there, with a view of the current ones. `current`: only the
   * current ones, and a deleted record's last version, so that a late arrival cannot bring it back. Of a dataset the
   * newest version's rows are there, whatever is said here.
   */
  keep?: ShareKeep;
  /** Schema at the customer's in which the tables stand. Default: the share's name. */
  schema?: string;
  /** Reference of a secret, at least 16 characters long, that masks are made with. Needed where a column is masked. */
  salt?: string;
  /** Longest time that one tenant may take, such as `"30m"`; then the others still get theirs. Default 1 hour. */
  deadline?: string;
}>;

const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,49}$/, // With what leat adds to it, it fits into the 63 bytes of a Postgres name.
    "must be at most 50 letters, digits and _, not beginning with a digit",
  )
  .refine(
    (name) => !name.toLowerCase().startsWith(leatPrefix),
    `must not begin with ${leatPrefix}, which is leat's own`,
  );

const columnNameSchema = z
  .string()
  .min(1, "must not be empty")
  .refine((name) => name.isWellFormed(), "is not well-formed text");

const columnOptionsSchema = z.strictObject({
  as: columnNameSchema.optional(),
  mask: z.boolean().default(false),
  optional: z.boolean().default(false),
});

const columnsSchema = z.union([
  z.array(columnNameSchema).min(1, "must name at least one column"),
  z.record(columnNameSchema, z.union([z.literal(true), columnNameSchema, columnOptionsSchema])),
]);

const reference = z.string().min(1, "must not be empty");

const shareSchema = z.strictObject({
  name: nameSchema,
  streams: z
    .array(
      z.union([
        reference,
        z.strictObject({
          stream: reference,
          table: nameSchema.optional(),
          columns: columnsSchema.optional(),
        }),
      ]),
    )
    .default([]),
  datasets: z
    .array(
      z.union([
        reference,
        z.strictObject({
          dataset: reference,
          table: nameSchema.optional(),
          columns: columnsSchema.optional(),
        }),
      ]),
    )
    .default([]),
  tenants: z.array(reference).optional(),
  to: z.union([reference, z.custom<(tenant: Tenant) => string>((value) => typeof value === "function")], {
    error: "must be an address, a secret's reference, or a function of the tenant that gives one",
  }),
  keep: z.enum(["history", "current"]).default("history"),
  schema: nameSchema.optional(),
  salt: z
    .string()
    .regex(/^(env|file|gcp-secret):./, "must be a secret's reference, such as env:SHARE_SALT")
    .optional(),
  deadline: z.string().default("1h"),
});

/** A day: whatever takes longer has stopped. */
const deadlineMsMax = 86_400_000;

/**
 * Declares a share, for `shares` of `defineProject`.
 *
 * @example
 * ```ts
 * defineShare({
 *   name: "customers",
 *   streams: [{ stream: "shop.orders", columns: { id: true, total: "amount", email: { mask: true } } }],
 *   to: (tenant) => `env:WAREHOUSE_${tenant.id}`,
 *   salt: "env:SHARE_SALT",
 * });
 * ```
 * @returns the share, complete and frozen. Nothing is read or opened, and no secret is looked up.
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault and its path.
 */
export function defineShare(declaration: ShareDeclaration): ShareSpec {
  const what = typeof declaration?.name === "string" ? `The share "${declaration.name}"` : "The share";
  const parsed = shareSchema.safeParse(declaration);
  if (!parsed.success) refuseFaults(faultsOf(parsed.error), what);
  const share = parsed.data!; // `refuseFaults` has thrown otherwise: a failed parse has at least one issue.
  const tables = [
    ...share.streams.map((one) => {
      const { stream, ...options } = typeof one === "string" ? { stream: one } : one;
      return toTable("stream", stream, options);
    }),
    ...share.datasets.map((one) => {
      const { dataset, ...options } = typeof one === "string" ? { dataset: one } : one;
      return toTable("dataset", dataset, options);
    }),
  ];
  const deadlineMs = parseDuration(share.deadline);
  const faults = [...tableFaults(tables), ...columnFaults(tables)];
  if (tables.length === 0)
    faults.push({ path: "streams", problem: "must name at least one stream, or `datasets` one dataset" });
  if (deadlineMs === undefined || deadlineMs < 1000 || deadlineMs > deadlineMsMax)
    faults.push({ path: "deadline", problem: 'must be a time from 1 s to 24 h, such as "30m"' });
  if (share.salt === undefined && tables.some(({ columns }) => columns?.some(({ isMasked }) => isMasked)))
    faults.push({
      path: "salt",
      problem: "is missing: a column is masked. Name a secret, such as env:SHARE_SALT",
    });
  refuseFaults(faults, what);
  const { to } = share;
  return Object.freeze({
    name: share.name,
    schema: share.schema ?? share.name,
    tables: Object.freeze(tables.map((table) => Object.freeze(table))),
    tenants: share.tenants === undefined ? undefined : Object.freeze([...share.tenants]),
    to: typeof to === "string" ? () => to : to,
    keep: share.keep,
    salt: share.salt,
    deadlineMs: deadlineMs!, // Likewise.
  });
}

type ReadTable = Readonly<{
  table?: string | undefined;
  columns?: z.output<typeof columnsSchema> | undefined;
}>;

const toTable = (kind: ShareTable["kind"], of: string, { table, columns }: ReadTable): ShareTable => ({
  kind,
  of,
  name: table ?? of.slice(of.indexOf(".") + 1),
  columns: toColumns(columns),
});

function toColumns(read: ReadTable["columns"]): readonly ShareColumn[] | undefined {
  if (read === undefined) return undefined;
  const plain = (key: string): ShareColumn => ({ key, name: key, isMasked: false, isOptional: false });
  const columns = Array.isArray(read)
    ? read.map(plain)
    : Object.entries(read).map(([key, value]): ShareColumn => {
        if (value === true) return plain(key);
        if (typeof value === "string") return { ...plain(key), name: value };
        return { key, name: value.as ?? key, isMasked: value.mask, isOptional: value.optional };
      });
  return Object.freeze(columns.map((column) => Object.freeze(column)));
}

/** Names that a warehouse would take for one. A view's history stands beside it under `<name>_history`. */
function tableFaults(tables: readonly ShareTable[]): Fault[] {
  const owners = new Map<string, string>();
  return tables.flatMap((table) => {
    const names = [table.name, `${table.name}_history`];
    const path = `${table.kind}s: ${table.of}`;
    const faults: Fault[] = [];
    if (!nameSchema.safeParse(table.name).success)
      faults.push({
        path,
        problem: `"${table.name}" cannot be the name of a table; set \`table\` to letters, digits and _`,
      });
    for (const name of names.map(foldColumnName)) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, table.of);
      else faults.push({ path, problem: `its table "${name}" is also that of ${owner}; set \`table\`` });
    }
    return faults;
  });
}

function columnFaults(tables: readonly ShareTable[]): Fault[] {
  return tables.flatMap(({ of, columns }) => {
    const owners = new Map<string, string>();
    return (columns ?? []).flatMap(({ key, name }) => {
      const path = `${of}: columns.${key}`;
      if (foldColumnName(name).startsWith(leatPrefix))
        return [{ path, problem: `"${name}" begins with ${leatPrefix}, which is leat's own` }];
      const owner = owners.get(foldColumnName(name));
      owners.set(foldColumnName(name), key);
      return owner === undefined
        ? []
        : [{ path, problem: `"${name}" is also the name of column "${owner}"` }];
    });
  });
}
