/** `leat gc`: deletes landed files that no manifest names (I15), and versions of datasets beyond those to be kept. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { CollectedDataset } from "../dataset/collect-versions.ts";
import type { Collected } from "../landing/collect-garbage.ts";
import type { JsonObject } from "../model/json-value.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { printBytes, printCount } from "./terminal.ts";
import { isLeftover } from "./work-folder.ts";

type GcOptions = GlobalOptions & Readonly<{ dryRun?: boolean }>;

/** A leftover older than this belongs to a load that was killed. */
const leftoverMsMax = 24 * 60 * 60 * 1000;

export function addGc(program: Command, invocation: Invocation): void {
  const command = program
    .command("gc")
    .summary("Delete landed files that nothing refers to.")
    .description(
      "Deletes files that killed or defeated runs have left in the landing and that no manifest names, versions of datasets beyond their `keepVersions`, tidy rows older than a month, and copies and tables that defeated or dead loads into BigQuery have left. Safe beside running syncs and builds: files that a run may still commit are left alone.",
    )
    .argument(
      "[stream...]",
      "A source, or one of its streams as source.stream. Default: all, and the datasets.",
    )
    .option("--dry-run", "Only tell what would be deleted.")
    .action(async (names: string[]) => {
      invocation.finish(await gc(invocation, names, command.optsWithGlobals<GcOptions>()));
    });
}

async function gc(invocation: Invocation, names: readonly string[], options: GcOptions): Promise<ExitCode> {
  const [
    { openProject },
    { chooseStreams },
    { choosePairs },
    { readLandedTenants },
    { collectGarbage },
    { commitEmpty },
    { systemClock, systemRandom },
    { openScanner },
    { sweepPending },
  ] = await Promise.all([
    import("./open-project.ts"),
    import("../sync/choose.ts"),
    import("../sync/choose-pairs.ts"),
    import("../sync/landed-tenants.ts"),
    import("../landing/collect-garbage.ts"),
    import("../extract/commit-empty.ts"),
    import("./system-world.ts"),
    import("../scan/open-scanner.ts"),
    import("../stores/fs/open-fs-store.ts"),
  ]);
  const { terminal, signal } = invocation;
  const opened = await openProject(invocation, options);
  const { store, project } = opened;
  const isDryRun = options.dryRun === true;
  const ports = { store, clock: systemClock, random: systemRandom, openScanner };
  const collected: Collected[] = [];
  // Tenants that are read as well: one whose first run was killed has files and no log yet.
  const known = opened.readTenants();
  const landed = await readLandedTenants(store, chooseStreams(project, names), known);
  const pairs = choosePairs({ project, tenants: known, landed }, { streams: names });
  const specs = pairs.map(({ spec }) => spec);
  // First, for it may fail: then nothing was deleted.
  const dropped = isDryRun ? 0 : await dropTables(opened, specs, signal);
  for (const { source, spec, tenants } of pairs) {
    for (const { id: tenant } of tenants) {
      signal.throwIfAborted();
      const place = { source: source.name, stream: spec.name, tenant };
      const job = { spec, tenant, tenantColumn: project.tenantColumn };
      collected.push(
        await collectGarbage(store, place, {
          runMsMax: spec.bounds.runMsMax,
          isDryRun,
          commitEmpty: () => commitEmpty(ports, job),
        }),
      );
    }
  }
  // Streams were named: only they are meant.
  const datasets = names.length > 0 ? [] : await collectDatasets(opened, isDryRun, signal);
  const swept = isDryRun
    ? 0
    : (opened.landing.engine === "file" ? await sweepPending(opened.landing.path) : 0) +
      (await sweepLeftovers(opened.warehouse.stateFolder)) +
      (await sweepCopies(opened, signal));
  const sum = (read: (one: Readonly<{ deleted: number; deletedBytes: number; waiting: number }>) => number) =>
    [...collected, ...datasets].reduce((total, one) => total + read(one), 0);
  const [deleted, bytes, waiting] = [
    sum((one) => one.deleted),
    sum((one) => one.deletedBytes),
    sum((one) => one.waiting),
  ];
  if (options.json) {
    const places = collected.map(({ place, ...counts }) => ({
      source: place.source,
      stream: place.stream,
      tenant_id: place.tenant,
      deleted: counts.deleted,
      deleted_bytes: counts.deletedBytes,
      waiting: counts.waiting,
    }));
    terminal.out(
      `${JSON.stringify({ dry_run: isDryRun, deleted, deleted_bytes: bytes, waiting, swept, dropped_tables: dropped, places, datasets: datasets.map(toJson) }, null, 2)}\n`,
    );
    return 0;
  }
  const verb = isDryRun ? "Would delete" : "Deleted";
  terminal.out(
    `${verb} ${printCount(deleted)} landed files (${printBytes(bytes)}) that no manifest names.\n`,
  );
  for (const { dataset, versions } of datasets)
    if (versions > 0)
      terminal.out(
        `${isDryRun ? "Would collect" : "Collected"} ${printCount(versions)} versions of ${dataset}.\n`,
      );
  if (waiting > 0)
    terminal.out(`${printCount(waiting)} more may still be committed by a run; they are left alone.\n`);
  if (swept > 0) terminal.out(`Removed ${printCount(swept)} files that killed processes were writing.\n`);
  if (dropped > 0) terminal.out(`Dropped ${printCount(dropped)} tables that defeated loads have left.\n`);
  return 0;
}

/** What was collected of a dataset; the tidy rows of all of them are told as `tidy/`. */
async function collectDatasets(
  { store, project }: OpenProject,
  isDryRun: boolean,
  signal: AbortSignal,
): Promise<readonly CollectedDataset[]> {
  const [{ collectVersions }, { collectTidy }] = await Promise.all([
    import("../dataset/collect-versions.ts"),
    import("../dataset/collect-tidy.ts"),
  ]);
  const collected: CollectedDataset[] = [];
  for (const { name, keepVersions } of project.datasets) {
    signal.throwIfAborted();
    collected.push(await collectVersions(store, name, { keepVersions, isDryRun }));
  }
  const tidy = await collectTidy(store, { isDryRun });
  return [...collected, { dataset: "tidy/", versions: 0, waiting: 0, ...tidy }];
}

const toJson = (one: CollectedDataset): JsonObject => ({
  dataset: one.dataset,
  versions: one.versions,
  deleted: one.deleted,
  deleted_bytes: one.deletedBytes,
  waiting: one.waiting,
});

/** Removes copies that killed loads into BigQuery have left in the bucket, where there is one for them. */
async function sweepCopies({ store, places, warehouse }: OpenProject, signal: AbortSignal): Promise<number> {
  if (warehouse.engine !== "bigquery") return 0;
  const [{ parseAddress }, { collectCopies }] = await Promise.all([
    import("../warehouses/bigquery/address.ts"),
    import("../warehouses/bigquery/collect-copies.ts"),
  ]);
  const { stagingBucket } = parseAddress(warehouse.url);
  if (stagingBucket !== undefined) return await collectCopies(await places.openStore(stagingBucket), signal);
  return store.url.startsWith("gs://") ? await collectCopies(store, signal) : 0;
}

/** Drops tables that loads into BigQuery have left; the other warehouses leave none, and are not opened for it. */
async function dropTables(
  opened: OpenProject,
  specs: readonly StreamSpec[],
  signal: AbortSignal,
): Promise<number> {
  if (opened.warehouse.engine !== "bigquery") return 0;
  const warehouse = await opened.openWarehouse();
  return (await warehouse.collectTables?.(specs, signal)) ?? 0;
}

/** Removes what killed processes have left beside the warehouse. */
async function sweepLeftovers(folder: string): Promise<number> {
  let swept = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!isLeftover(name)) continue;
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || Date.now() - info.mtimeMs < leftoverMsMax) continue;
    await rm(path, { recursive: true, force: true });
    swept++;
  }
  return swept;
}
