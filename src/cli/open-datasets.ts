/** Where builds of datasets meet their engines: the scratch engine, the readers of files, the landing's lists. */
import { rm } from "node:fs/promises";
import type { BuildPorts } from "../dataset/build-job.ts";
import { tenantless } from "../model/source-tenants.ts";
import type { BuildEvent, ListFiles } from "../ports/dataset.ts";
import type { DatasetEngine } from "../ports/dataset-engine.ts";
import type { TidyReader } from "../ports/tidy.ts";
import type { Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { systemClock, systemRandom } from "./system-world.ts";
import { makeWorkFolder } from "./work-folder.ts";

/** A folder beside the warehouse, removed when the invocation ends. */
export async function openWorkFolder(invocation: Invocation, opened: OpenProject): Promise<string> {
  const folder = await makeWorkFolder(opened.warehouse.stateFolder, "work");
  invocation.atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The engine in which datasets are built and compared. */
export async function openDatasetEngine(opened: OpenProject): Promise<DatasetEngine> {
  const [{ openDuckDbDatasets }, { lockWaitMsDefault }, { chooseStream }] = await Promise.all([
    import("../warehouses/duckdb/dataset-engine.ts"),
    import("../warehouses/duckdb/open-duckdb.ts"),
    import("../sync/choose.ts"),
  ]);
  return openDuckDbDatasets({
    warehouse:
      opened.warehouse.engine === "duckdb"
        ? { file: opened.warehouse.path }
        : {
            openWarehouse: opened.openWarehouse,
            findStream: (name) => chooseStream(opened.project, name).spec,
          },
    lockWaitMs: opened.lockWaitMs ?? lockWaitMsDefault,
  });
}

/** Opens the readers of files once, when they are asked for first. */
export function openTidyReading(atEnd: Invocation["atEnd"]): () => Promise<TidyReader> {
  let reader: Promise<TidyReader> | undefined;
  return () => {
    reader ??= import("../readers/open-tidy-reader.ts").then(({ openTidyReader }) => {
      const files = openTidyReader();
      atEnd(async () => files[Symbol.asyncDispose]());
      return {
        version: files.version,
        // The engine knows Parquet; everything else is read by leat, in a process of its own.
        read: async (job, signal) =>
          job.declaration.format === "parquet"
            ? (await import("../warehouses/duckdb/read-parquet-file.ts")).readParquetFile(job, signal)
            : files.read(job, signal),
      };
    });
    return reader;
  };
}

/** Everything that builds need. */
export async function openBuildPorts(
  invocation: Invocation,
  opened: OpenProject,
  progress: (event: BuildEvent) => void,
): Promise<BuildPorts> {
  return {
    store: opened.store,
    engine: await openDatasetEngine(opened),
    warehouse: await opened.openWarehouse(),
    openReader: openTidyReading(invocation.atEnd),
    listFiles: await openFileLists(opened),
    clock: systemClock,
    random: systemRandom,
    workFolder: await openWorkFolder(invocation, opened),
    progress,
  };
}

/**
 * Landed files of all tenants of a stream, also of those for whom it is not read any more. Of a source that belongs to no
 * tenant only its own: what was landed for tenants before it was declared so is the same files once more.
 */
async function openFileLists({ project, store }: OpenProject): Promise<ListFiles> {
  const [{ listFileVersions, listLandedFiles }, { listTenants }, { chooseStream, streamName }] =
    await Promise.all([
      import("../extract/list-landed-files.ts"),
      import("../landing/log.ts"),
      import("../sync/choose.ts"),
    ]);
  return async (name, versions) => {
    const { source, spec } = chooseStream(project, name);
    const list = versions === "all" ? listFileVersions : listLandedFiles;
    const tenants =
      source.tenants === "none" ? [tenantless.id] : await listTenants(store, source.name, spec.name);
    const files = [];
    for (const tenant of tenants)
      files.push(...(await list(store, { source: source.name, stream: spec.name, tenant })));
    return { stream: streamName({ source, spec }), files };
  };
}
