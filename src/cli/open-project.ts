/** Where ports meet their engines: the project's landing and warehouse, opened as the commands need them. */
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type LoadedProject, loadProject } from "../config/load-project.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Warehouse } from "../ports/warehouse.ts";
import type { Places, Progress } from "../ports/world.ts";
import { openSyncLanes } from "../sync/lanes.ts";
import type { SyncPorts } from "../sync/sync-job.ts";
import type { PostgresOptions } from "../warehouses/postgres/open-postgres.ts";
import type { GlobalOptions, Invocation } from "./invocation.ts";
import { openPlaces } from "./open-places.ts";
import { openStore } from "./open-store.ts";
import { refuseLoads } from "./refuse-loads.ts";
import { systemClock, systemRandom } from "./system-world.ts";
import { makeWorkFolder } from "./work-folder.ts";

/** A project with its landing at hand; the warehouse's engine is loaded only when a command asks for it. */
export interface OpenProject extends LoadedProject {
  readonly store: ObjectStore;
  readonly places: Places;
  /** The project's warehouse, one object for the whole command. */
  openWarehouse(): Promise<Warehouse>;
  /** Another warehouse file of the embedded engine, for `rebuild`; closed by the caller. */
  openWarehouseAt(path: string): Promise<Warehouse>;
  /** Everything that a sync needs. */
  openSyncPorts(progress: Progress, options?: SyncPortOptions): Promise<SyncPorts>;
}

/** How a sync is prepared. */
export type SyncPortOptions = Readonly<{
  /** Extracts of one source at a time. */
  extractsPerSource?: number | undefined;
  /** Has the work folder removed. Default: when the invocation ends. */
  atEnd?: Invocation["atEnd"];
}>;

/** Whether Google's own transfer loads what leat lands. */
export const isTransferred = ({
  project,
  warehouse,
}: Pick<LoadedProject, "project" | "warehouse">): boolean =>
  project.load === "dts" && warehouse.engine === "bigquery";

/** How a Postgres warehouse of the project is opened. */
export async function openPostgresOptions({
  lockWaitMs,
  warehouse,
}: Pick<LoadedProject, "lockWaitMs" | "warehouse">): Promise<PostgresOptions> {
  const { readStagedPart } = await import("../landing/part-reader.ts");
  await mkdir(warehouse.stateFolder, { recursive: true });
  const exportParquet: PostgresOptions["exportParquet"] = async (...args) =>
    (await import("../warehouses/duckdb/export-parquet.ts")).exportParquet(...args);
  return { readPart: readStagedPart, exportParquet, lockWaitMs, workFolder: warehouse.stateFolder };
}

/**
 * Reads the configuration and opens the landing; what is opened is closed when the invocation ends.
 *
 * @throws LeatError what is wrong with the configuration.
 */
export async function openProject(invocation: Invocation, options: GlobalOptions): Promise<OpenProject> {
  const { cwd, environment, terminal } = invocation;
  const loaded = await loadProject({ cwd, config: options.config, environment, clock: systemClock });
  invocation.listen();
  terminal.guard((text) => loaded.secrets.redact(text));
  const store = await openStore(loaded.landing, invocation.signal);
  const places = openPlaces(loaded.folder, invocation.signal);
  let warehouse: Promise<Warehouse> | undefined;
  const openWarehouseAt = async (path: string): Promise<Warehouse> => {
    const [{ openDuckDb }, { quoteExactColumns }, { readStagedPart }] = await Promise.all([
      import("../warehouses/duckdb/open-duckdb.ts"),
      import("../scan/quote-exact.ts"),
      import("../landing/part-reader.ts"),
    ]);
    await mkdir(dirname(path), { recursive: true });
    return openDuckDb(`duckdb:${path}`, {
      quoteExact: quoteExactColumns,
      readPart: readStagedPart,
      lockWaitMs: loaded.lockWaitMs,
      workFolder: dirname(path), // The system's temporary folder is often small or in memory.
    });
  };
  const openPostgresWarehouse = async (connectionString: string): Promise<Warehouse> => {
    const [{ openPostgres }, options] = await Promise.all([
      import("../warehouses/postgres/open-postgres.ts"),
      openPostgresOptions(loaded),
    ]);
    return openPostgres(connectionString, options);
  };
  const openBigQueryWarehouse = async (url: string): Promise<Warehouse> => {
    const [{ openBigQuery }, { readStagedPart }] = await Promise.all([
      import("../warehouses/bigquery/open-bigquery.ts"),
      import("../landing/part-reader.ts"),
    ]);
    const workFolder = loaded.warehouse.stateFolder;
    await mkdir(workFolder, { recursive: true });
    return openBigQuery(url, {
      openStaging: (bucket) => places.openStore(bucket),
      openStagingDefault: store.url.startsWith("gs://") ? async () => store : undefined,
      readPart: readStagedPart,
      exportRows: async (...args) =>
        (await import("../warehouses/duckdb/export-parquet.ts")).exportParquetLines(...args),
      workFolder,
    });
  };
  const openChosen = (): Promise<Warehouse> => {
    const { warehouse: location } = loaded;
    switch (location.engine) {
      case "duckdb":
        return openWarehouseAt(location.path);
      case "postgres":
        return openPostgresWarehouse(location.connectionString);
      case "bigquery":
        return openBigQueryWarehouse(location.url).then((opened) =>
          isTransferred(loaded) ? refuseLoads(opened) : opened,
        );
    }
  };
  const openWarehouse = (): Promise<Warehouse> => {
    warehouse ??= openChosen().then((opened) => {
      invocation.atEnd(() => opened.close());
      return opened;
    });
    return warehouse;
  };
  return {
    ...loaded,
    store,
    places,
    openWarehouse,
    openWarehouseAt,
    async openSyncPorts(progress, { extractsPerSource, atEnd = invocation.atEnd } = {}) {
      const [{ openScanner }, { extractStream }, { extractFiles }, { loadStream }] = await Promise.all([
        import("../scan/open-scanner.ts"),
        import("../extract/extract-stream.ts"),
        import("../extract/extract-files.ts"),
        import("../load/load-stream.ts"),
      ]);
      const workFolder = await makeWorkFolder(loaded.warehouse.stateFolder, "work");
      atEnd(() => rm(workFolder, { recursive: true, force: true }));
      return {
        store,
        warehouse: await openWarehouse(),
        clock: systemClock,
        random: systemRandom,
        secrets: loaded.secrets,
        places,
        progress,
        openScanner,
        workFolder,
        lanes: openSyncLanes(extractsPerSource),
        extractStream,
        extractFiles,
        loadStream,
      };
    },
  };
}
