/** Which folder of `src` may import which, types included: the architecture as data. */

const ground = ["errors", "model", "ports"];
const stages = [
  "define",
  "config",
  "landing",
  "extract",
  "load",
  "share",
  "sync",
  "dataset",
  "serve",
  "flow",
];
const adapters = ["sources/*", "stores/*", "warehouses/*", "ledgers/*", "dispatchers/*"];

/** Folders in the order of the layers, lowest first; `x/*` stands for each folder below `x`. */
export const importTable: ReadonlyMap<string, readonly string[]> = new Map([
  ["errors", []],
  ["model", ["errors"]],
  ["ports", ["errors", "model"]],
  ["scan", ["errors", "model"]],
  ["landing", [...ground, "scan"]],
  ["define", ground],
  ["config", ground],
  ["dataset", ground],
  ["serve", ground],
  ["flow", ground],
  ["workbook", ground],
  ["readers", [...ground, "workbook"]], // Bytes of files → grids and rows; one folder for the rules, in rooms.
  ["extract", [...ground, "scan", "landing"]],
  ["load", [...ground, "scan", "landing"]],
  ["share", [...ground, "landing", "load"]], // A share is a load.
  ["sync", [...ground, "scan", "define", "landing", "extract", "load", "share"]],
  ["sources/stream-declaration", ground], // What every kind of source lets people say of a stream.
  ["sources/http", [...ground, "sources/stream-declaration"]], // Requests and answers, whatever is in them.
  ["sources/*", [...ground, "sources/stream-declaration", "sources/http"]],
  ["ledgers/sql", ground], // One code over two engines.
  ...adapters
    .slice(1)
    .map((folder): [string, readonly string[]] => [
      folder,
      folder === "ledgers/*" ? [...ground, "ledgers/sql"] : ground,
    ]),
  ["testing", ground],
  ["server", [...ground, "scan", "workbook", "readers", ...stages, ...adapters]],
  ["cli", [...ground, "scan", "workbook", "readers", ...stages, ...adapters, "server"]],
  ["index.ts", [...ground, "scan", "workbook", "readers", ...stages, ...adapters, "server", "cli"]],
]);

/** Which folders may import which package; one that is not listed may be imported nowhere. */
export const packageTable: ReadonlyMap<string, readonly string[]> = new Map([
  ["@clack/prompts", ["cli"]],
  ["@duckdb/node-api", ["warehouses/duckdb"]],
  ["@google-cloud/bigquery", ["warehouses/bigquery"]],
  ["@duckdb/duckdb-wasm", ["server"]], // Found and handed out, never imported.
  ["@opentelemetry/api", ["server"]],
  ["@opentelemetry/exporter-prometheus", ["server"]],
  ["@opentelemetry/sdk-metrics", ["server"]],
  ["@scalar/fastify-api-reference", ["server"]],
  ["apache-arrow", ["warehouses/duckdb"]],
  ["csv-parse", ["readers"]],
  ["htmlparser2", ["sources/files"]],
  ["yauzl", ["readers"]],
  ["commander", ["cli"]],
  ["croner", ["flow"]],
  ["fastify", ["server"]],
  ["@fastify/swagger", ["server"]],
  ["@node-rs/crc32", ["landing"]],
  ["kysely", ["ledgers/*"]],
  ["nodemailer", ["flow"]],
  ["pg", ["ledgers/postgres"]],
  ["pg-boss", ["dispatchers/pg-boss"]],
  ["pino", ["server", "cli"]],
  ["undici", ["sources/http"]],
  // The entry hands it on: columns of datasets are zod schemas, and must be of this very version.
  [
    "zod",
    [
      "define",
      "config",
      "flow",
      "landing",
      "dataset",
      "serve",
      "workbook",
      "readers",
      "server",
      "sources/*",
      "index.ts",
    ],
  ],
]);

/** Files that may re-export: the package's entries. */
export const entryFiles: readonly string[] = ["index.ts", "testing/index.ts"];

/** What only some folders may touch of the process. */
export const processTable: ReadonlyMap<string, readonly string[]> = new Map([
  ["process.env", ["config"]],
  ["process.exit", ["cli"]],
  ["process.exitCode", ["cli"]],
  ["process.stdout", ["cli"]],
  ["console", ["cli"]],
]);
