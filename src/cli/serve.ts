/** `leat serve`: datasets, or a file, as a public data API. */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { ApiSpec } from "../ports/api-spec.ts";
import type { PublishedDatasets } from "../ports/dataset-query.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Project } from "../ports/project.ts";
import type { DataApi } from "../serve/data-api.ts";
import type { ServeEvent } from "../serve/served-dataset.ts";
import type { KeyBook } from "../server/data/admission.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { readCors, readKeyMode, readRate, readWhole } from "./serve-limits.ts";
import { makeServerFolder } from "./server-folder.ts";
import { systemClock } from "./system-world.ts";

export type ServeOptions = GlobalOptions &
  Readonly<{
    port?: string;
    host: string;
    api?: string;
    sheet?: string;
    keys: string;
    rate: string;
    keyRate: string;
    trustProxy: readonly string[];
    cors: readonly string[];
    metrics: boolean;
    accessLog: boolean;
    refresh: string;
    drain: string;
  }>;

const after = `
Addresses: / and /datasets/<name> for people, /docs and /openapi.json for programs, /sql for SQL in the visitor's
browser, /live, /ready and /metrics for a supervisor.

With a file there need be no project: .parquet, .csv, .tsv, .json, .ndjson, .xlsx, .xls. Types of Parquet are its own,
of text what all values of a column look like; codes such as 007 stay text. A file that changes is read again (--refresh).

  leat serve                                 the project's datasets
  leat serve deaths.parquet --port 0         a file, on a free port
  leat serve --keys required --host 0.0.0.0  only for holders of a key (leat keys create)

Rates are requests a second: 20, 20:100 (100 at once), 100/60s, none. Requests of this machine itself have none.
SIGTERM drains: answers that are being sent are finished, exit code 0.`;

/** Port when neither --port nor PORT says: what Cloud Run and most containers use. */
const portDefault = "8080";

export function addServe(program: Command, invocation: Invocation): void {
  const command = program
    .command("serve")
    .summary("Serve datasets, or a file, as a data API with pages for people.")
    .description(
      "Serves the newest versions of the project's datasets over HTTP, and takes newer ones as they are published. Named a file, it serves that and needs no project.",
    )
    .argument("[file]", "A .parquet, .csv, .json, .ndjson or .xlsx file. Default: the project's datasets.")
    .option("-p, --port <n>", `Port; 0 takes a free one. Default: PORT, else ${portDefault}.`)
    .option("--host <address>", "Address to listen on; 0.0.0.0 for everybody.", "127.0.0.1")
    .option("--api <name>", "Which of the project's APIs, where it declares several.")
    .option("--sheet <name>", "Sheet of a workbook. Default: the one that holds most figures.")
    .option("--keys <mode>", "none, optional (a key has its own rate) or required.", "none")
    .option("--rate <rate>", "What one address may ask without a key.", "50:200")
    .option("--key-rate <rate>", "What one key may ask, unless it was created with another.", "100:400")
    .option(
      "--trust-proxy <address...>",
      "Proxies whose X-Forwarded-For is believed: addresses, networks, `loopback`, `private`.",
      [],
    )
    .option("--cors <origin...>", "Origins whose pages may read answers; * for all.", ["*"])
    .option("--no-metrics", "Do not answer /metrics.")
    .option("--no-access-log", "Log only requests that failed on our side.")
    .option("--refresh <seconds>", "Pause between looks for newer versions.", "10")
    .option("--drain <seconds>", "After SIGTERM: until connections are cut.", "9")
    .addHelpText("after", after)
    .action(async (file: string | undefined) => {
      const options = command.optsWithGlobals<ServeOptions>();
      invocation.finish(await serve(invocation, file, options, program.version() ?? ""));
    });
}

/** What is served, and from where. */
type Served = Readonly<{
  spec: ApiSpec;
  store: ObjectStore;
  published: PublishedDatasets;
  /** What to tell when it begins. */
  note: string | undefined;
  /** Where packages of the project are found, beside leat's own. */
  packagesFrom: readonly (string | URL)[];
  redact: (text: string) => string;
}>;

/**
 * Serves until the invocation is stopped.
 *
 * @param onServing - told the address, and the API behind it, when the first versions are there.
 */
export async function serve(
  invocation: Invocation,
  file: string | undefined,
  options: ServeOptions,
  version: string,
  onServing: (url: string, api: DataApi) => void = () => {},
): Promise<ExitCode> {
  const { environment, signal, terminal } = invocation;
  const port = readWhole("--port", options.port ?? environment["PORT"] ?? portDefault, 0, 65_535);
  const refreshMs = readWhole("--refresh", options.refresh, 1, 86_400) * 1000;
  const drainMs = readWhole("--drain", options.drain, 0, 3600) * 1000;
  const admission = {
    keys: readKeyMode(options.keys),
    addressRate: readRate("--rate", options.rate),
    keyRate: readRate("--key-rate", options.keyRate),
  };
  const cors = readCors(options.cors);
  if (file !== undefined && admission.keys !== "none")
    throw new LeatError("USAGE", { message: "--keys needs a project: keys are kept in its landing." });
  const [{ openLogger }, { LineBuffer }, { openDataApi }, { openDuckDbQueries }, { createDataHost }] =
    await Promise.all([
      import("../server/logger.ts"),
      import("../server/data/line-buffer.ts"),
      import("../serve/data-api.ts"),
      import("../warehouses/duckdb/query-engine.ts"),
      import("../server/data/data-host.ts"),
    ]);
  const { parseProxies } = await import("../server/data/client-address.ts");
  const proxies = parseProxies(options.trustProxy);
  invocation.listen();
  const folder = await makeServerFolder(tmpdir());
  invocation.atEnd(() => rm(folder, { recursive: true, force: true }));
  const served =
    file === undefined
      ? await openProjectApi(invocation, options)
      : await openFileApi(invocation, file, { sheet: options.sheet, folder, version });
  const lines = new LineBuffer((text) => terminal.out(text));
  invocation.atEnd(async () => lines.flush());
  const log = openLogger({
    destination: lines,
    level: options.quiet ? "warn" : (environment["LOG_LEVEL"] ?? "info"),
    isGoogleCloud: environment["K_SERVICE"] !== undefined,
    redact: served.redact,
  });
  const engine = openDuckDbQueries({ folder });
  invocation.atEnd(() => engine.close());
  const tell = (event: ServeEvent): void => {
    if (event.type === "refused" || event.type === "failed") {
      const { error, ...facts } = event;
      log.error({ ...facts, err: error }, event.type);
    } else log.info(event, event.type);
  };
  const { spec, store, published } = served;
  const api = openDataApi(spec, { published, store, engine, clock: systemClock }, { folder, tell });
  invocation.atEnd(() => api.close());
  const keys =
    admission.keys === "none"
      ? undefined
      : await openKeyBook(invocation, store, (error) => log.error({ err: error }, "keys"));
  const [{ openAssets }, { findSqlEngine }] = await Promise.all([
    import("../server/data/pages/assets.ts"),
    import("../server/data/pages/sql-engine.ts"),
  ]);
  const sqlEngine = findSqlEngine([...served.packagesFrom, import.meta.url]);
  const pages = { assets: openAssets(version), sqlEngine };
  const host = await createDataHost(
    { api, keys, log, pages, nowMs: () => Date.now() },
    { admission, proxies, cors, logsEveryRequest: options.accessLog, showsMetrics: options.metrics },
  );
  await api.refresh(signal); // So that whoever is told the address gets an answer there.
  const watching = api.watch(refreshMs, signal);
  const { serveData } = await import("../server/data/serve-data.ts");
  const onListening = (url: string): void => {
    log.info({ url, datasets: spec.datasets, note: served.note }, `listening on ${url}`);
    lines.flush();
    onServing(url, api);
  };
  const isDrained = await serveData(host, { host: options.host, port, drainMs, onListening }, signal);
  await watching;
  if (!isDrained) log.warn("Some answers were still being sent and were cut.");
  return 0;
}

async function openKeyBook(
  invocation: Invocation,
  store: ObjectStore,
  tell: (error: unknown) => void,
): Promise<KeyBook> {
  const [{ KeyRing }, { KeyUsage }] = await Promise.all([
    import("../server/data/key-ring.ts"),
    import("../server/data/key-usage.ts"),
  ]);
  const ring = new KeyRing(store, tell);
  const usage = new KeyUsage(store, () => Date.now(), tell);
  await ring.open();
  invocation.atEnd(async () => ring.close());
  await usage.open();
  invocation.atEnd(() => usage.close());
  return { ring, usage };
}

async function openFileApi(
  invocation: Invocation,
  file: string,
  how: Readonly<{ sheet: string | undefined; folder: string; version: string }>,
): Promise<Served> {
  const { openServedFile } = await import("./serve-file.ts");
  const served = await openServedFile(invocation, file, how);
  return { ...served, packagesFrom: [pathToFileURL(join(invocation.cwd, "x.js"))], redact: (text) => text };
}

async function openProjectApi(invocation: Invocation, options: ServeOptions): Promise<Served> {
  if (options.sheet !== undefined)
    throw new LeatError("USAGE", { message: "--sheet names a sheet of a workbook; name the file as well." });
  const [{ openProject }, { openPublishedDatasets }] = await Promise.all([
    import("./open-project.ts"),
    import("../dataset/published-datasets.ts"),
  ]);
  const { project, store, secrets, configPath } = await openProject(invocation, options);
  return {
    spec: await chooseApi(project, options.api),
    store,
    published: openPublishedDatasets(store),
    note: undefined,
    packagesFrom: [pathToFileURL(configPath)],
    redact: (text) => secrets.redact(text),
  };
}

/** The API that is named, the only one, or one of all datasets that anybody may read. */
async function chooseApi({ name, apis, datasets }: Project, wanted: string | undefined): Promise<ApiSpec> {
  const names = apis.map((api) => api.name);
  const found = wanted === undefined && apis.length === 1 ? apis[0] : apis.find((api) => api.name === wanted);
  if (found !== undefined) return found;
  if (wanted !== undefined)
    throw new LeatError("API_UNKNOWN", {
      message: `The project ${name} has no API "${wanted}".`,
      hint: hintOfKnown(wanted, "APIs", names),
    });
  if (apis.length > 1)
    throw new LeatError("USAGE", {
      message: `The project ${name} has the APIs ${names.join(", ")}: say which with --api.`,
    });
  const open = datasets.filter(({ tenantColumn }) => tenantColumn === undefined);
  if (open.length === 0)
    throw new LeatError("API_UNKNOWN", {
      message: `The project ${name} has no dataset that everybody may read.`,
      hint:
        datasets.length === 0
          ? "Declare one in `datasets` of leat.config.ts, or name a file: leat serve data.parquet."
          : "All hold rows of tenants: serve one with defineApi({ …, servesTenantRows: true }), or build one without them.",
    });
  const { defineApi } = await import("../serve/define-api.ts");
  return defineApi({ title: name, description: `The datasets of ${name}.`, datasets: open });
}
