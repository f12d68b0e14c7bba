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
  ["google", ground], // Credentials and REST of Google Cloud, for whatever needs a request or two of it.
  ["scan", ["errors", "model"]],
  ["landing", [...ground, "scan"]],
  ["define", ground],
  ["config", [...ground, "google"]], // Secrets may be kept in Secret Manager.
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
  ["stores/bucket", ground], // What buckets of all vendors share: trying again, lost answers, checksums.
  ["stores/gcs", [...ground, "stores/bucket"]],
  ["stores/s3", [...ground, "stores/bucket"]],
  ["dispatchers/cloud-tasks", [...ground, "google"]],
  ...adapters
    .slice(1)
    .map((folder): [string, readonly string[]] => [
      folder,
      folder === "ledgers/*" ? [...ground, "ledgers/sql"] : ground,
    ]),
  ["testing", ground],
  ["server", [...ground, "google", "scan", "workbook", "readers", ...stages, ...adapters]],
  ["cli", [...ground, "google", "scan", "workbook", "readers", ...stages, ...adapters, "server"]],
  ["index.ts", [...ground, "google", "scan", "workbook", "readers", ...stages, ...adapters, "server", "cli"]],
]);

/** Which folders may import which package; one that is not listed may be imported nowhere. */
export const packageTable: ReadonlyMap<string, readonly string[]> = new Map([
  ["@aws-sdk/client-s3", ["stores/s3"]],
  ["@clack/prompts", ["cli"]],
  ["@duckdb/node-api", ["warehouses/duckdb"]],
  ["@google-cloud/bigquery", ["warehouses/bigquery"]],
  ["@duckdb/duckdb-wasm", ["server"]], // Found and handed out, never imported.
  ["@google-cloud/storage", ["stores/gcs"]],
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
  ["@node-rs/crc32", ["landing", "stores/bucket"]],
  ["google-auth-library", ["google"]],
  ["kysely", ["ledgers/*"]],
  ["nodemailer", ["flow"]],
  ["openid-client", ["server"]],
  ["pg", ["ledgers/postgres", "warehouses/postgres"]],
  ["pg-boss", ["dispatchers/pg-boss"]],
  ["pg-copy-streams", ["warehouses/postgres"]],
  ["pino", ["server", "cli"]],
  ["undici", ["sources/http", "stores/gcs"]],
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
