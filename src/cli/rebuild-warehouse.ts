/** Builds a warehouse aside from the landing, compares, swaps: files of DuckDB, or schemas of Postgres. */
import { randomBytes } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { copyFile, link, rename, rm } from "node:fs/promises";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { listTenants, readManifest } from "../landing/log.ts";
import type { TableChecksum, Warehouse } from "../ports/warehouse.ts";
import type { Progress } from "../ports/world.ts";
import { streamName } from "../sync/choose.ts";
import type { ChosenStream, SyncPorts } from "../sync/sync-job.ts";
import type { OpenProject } from "./open-project.ts";

/** What is to be rebuilt. */
export type RebuildJob = Readonly<{
  streams: readonly ChosenStream[];
  /** All of the file; else what is not chosen is taken over from the old one. */
  isWhole: boolean;
  acceptMissing: boolean;
  progress: Progress;
  signal: AbortSignal;
}>;

/** One stream, rebuilt. */
export type RebuiltStream = Readonly<{
  stream: string;
  packages: number;
  rows: number;
  /** `equal`: each package that was there before has the same rows. `none before`: nothing to compare with. */
  comparison: "equal" | "different" | "none before";
  /** Packages whose rows differ, as `tenant/seq`, at most {@link differencesMax}. */
  differences: readonly string[];
}>;

export type RebuildOutcome = Readonly<{
  streams: readonly RebuiltStream[];
  /** Where the old file or tables are kept, when rows differ. */
  kept: string | null;
}>;

/** Differing packages told one by one. */
const differencesMax = 50;

/**
 * Rebuilds. The old file is untouched until the new one is complete and compared; a kill leaves it as it was.
 *
 * @throws LeatError what a load fails with; `VERIFY_FAILED` when the landing lacks packages that the warehouse has.
 */
export async function rebuildWarehouse(opened: OpenProject, job: RebuildJob): Promise<RebuildOutcome> {
  const { warehouse } = opened;
  switch (warehouse.engine) {
    case "duckdb":
      return await rebuildFile(opened, warehouse.path, job);
    case "postgres":
      return await rebuildSchema(opened, warehouse.connectionString, job);
    case "bigquery":
      return await rebuildInPlace(opened, job);
  }
}

/** A schema beside the old one, from which the streams' tables are moved over in one transaction. */
async function rebuildSchema(opened: OpenProject, url: string, job: RebuildJob): Promise<RebuildOutcome> {
  const [{ openPostgresAside }, { openPostgresOptions }] = await Promise.all([
    import("../warehouses/postgres/rebuild-aside.ts"),
    import("./open-project.ts"),
  ]);
  const before = await readChecksums(await opened.openWarehouse(), job.streams);
  const aside = openPostgresAside(url, await openPostgresOptions(opened));
  try {
    const ports = { ...(await opened.openSyncPorts(job.progress)), warehouse: aside.warehouse };
    const streams: RebuiltStream[] = [];
    for (const stream of job.streams)
      streams.push(await rebuildStream(ports, opened, stream, before?.get(stream), job));
    const isDifferent = streams.some((stream) => stream.comparison === "different");
    job.signal.throwIfAborted();
    const specs = job.streams.map(({ spec }) => spec);
    return { streams, kept: await aside.swapIn(specs, { keepsOld: isDifferent }, job.signal) };
  } finally {
    await aside.remove();
  }
}

async function rebuildFile(opened: OpenProject, path: string, job: RebuildJob): Promise<RebuildOutcome> {
  const aside = `${path}.rebuilding-${randomBytes(6).toString("hex")}`; // Two rebuilds at once do not meet.
  const hasOld = existsSync(path);
  try {
    const before = hasOld ? await readChecksums(await opened.openWarehouse(), job.streams) : undefined;
    if (!job.isWhole && hasOld) await hold(path, job.signal, () => copyWarehouse(path, aside));
    const rebuilt = await opened.openWarehouseAt(aside);
    const streams: RebuiltStream[] = [];
    try {
      if (!job.isWhole && hasOld) await forgetStreams(rebuilt, job.streams);
      const ports = { ...(await opened.openSyncPorts(job.progress)), warehouse: rebuilt };
      for (const stream of job.streams) {
        streams.push(await rebuildStream(ports, opened, stream, before?.get(stream), job));
      }
    } finally {
      await rebuilt.close();
    }
    const isDifferent = streams.some((stream) => stream.comparison === "different");
    const kept = isDifferent ? `${path}.before-rebuild-${Date.now()}` : null;
    job.signal.throwIfAborted();
    await swapHeld(path, job.signal, async () => {
      if (kept !== null) await keepWarehouse(path, kept);
      await rm(`${path}.wal`, { force: true }); // It belongs to the old file; the new one would be read with it.
      await rename(aside, path);
    });
    return { streams, kept };
  } finally {
    await removeFile(aside);
  }
}

/**
 * A service's warehouse, stream by stream: what is there is forgotten, and loaded again from the landing. Readers see a
 * stream empty, and then as far as it is loaded; a death leaves that, and the next load goes on.
 */
async function rebuildInPlace(opened: OpenProject, job: RebuildJob): Promise<RebuildOutcome> {
  const warehouse = await opened.openWarehouse();
  const before = await readChecksums(warehouse, job.streams);
  const ports = await opened.openSyncPorts(job.progress);
  const streams: RebuiltStream[] = [];
  for (const stream of job.streams) {
    job.signal.throwIfAborted();
    const held = before?.get(stream);
    await refuseMissing(opened, stream, held, job);
    await forgetStreams(warehouse, [stream]);
    streams.push(await rebuildStream(ports, opened, stream, held, job));
  }
  return { streams, kept: null };
}

/** Before anything is forgotten: packages of the warehouse that the landing cannot give again. */
async function refuseMissing(
  { store, landing }: OpenProject,
  stream: ChosenStream,
  before: Checksums | undefined,
  { acceptMissing }: RebuildJob,
): Promise<void> {
  const missing: string[] = [];
  for (const { tenant, seq } of before?.values() ?? []) {
    const place = { source: stream.source.name, stream: stream.spec.name, tenant };
    if ((await readManifest(store, place, seq)) === undefined) missing.push(`${tenant}/${seq}`);
  }
  if (missing.length > 0 && !acceptMissing) throw missingPackages(stream, landing.url, missing);
}

function missingPackages(stream: ChosenStream, url: string, missing: readonly string[]): LeatError {
  return new LeatError("VERIFY_FAILED", {
    message: `${streamName(stream)}: the warehouse has ${missing.length} packages that the landing at ${url} has not; nothing was changed.`,
    hint: "Check that this is the right landing. If they are meant to be gone, run again with --accept-missing.",
    details: { missing: missing.slice(0, differencesMax) },
  });
}

async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}.wal`, { force: true });
}

/** Keeps writers out; the engine is loaded here, as everywhere, only when it is needed. */
async function hold(path: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const { holdDuckDbFile } = await import("../warehouses/duckdb/hold-file.ts");
  await holdDuckDbFile(path, signal, work);
}

/** Swaps with writers kept out; a file that no engine can open has no writers. */
async function swapHeld(path: string, signal: AbortSignal, swap: () => Promise<void>): Promise<void> {
  try {
    await hold(path, signal, swap);
  } catch (error) {
    if (!isLeatError(error) || error.code !== "WAREHOUSE_UNREADABLE") throw error;
    await swap();
  }
}

/** Copies the file; last, since closing it ends the hold. The log, if a killed process left one, is a file of its own. */
async function copyWarehouse(from: string, to: string): Promise<void> {
  if (existsSync(`${from}.wal`)) await copyFile(`${from}.wal`, `${to}.wal`);
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** Gives the file that is about to be replaced a second name. */
async function keepWarehouse(from: string, to: string): Promise<void> {
  if (existsSync(`${from}.wal`)) await copyFile(`${from}.wal`, `${to}.wal`);
  await link(from, to);
}

async function forgetStreams(warehouse: Warehouse, streams: readonly ChosenStream[]): Promise<void> {
  if (warehouse.forget === undefined) {
    throw new LeatError("NOT_SUPPORTED", {
      message: "This warehouse cannot rebuild single streams.",
      hint: "Run `leat rebuild` without a stream to rebuild all of it.",
    });
  }
  for (const { spec } of streams) await warehouse.forget(spec);
}

type Checksums = ReadonlyMap<string, TableChecksum>;

async function readChecksums(
  warehouse: Warehouse,
  streams: readonly ChosenStream[],
): Promise<ReadonlyMap<ChosenStream, Checksums> | undefined> {
  const all = new Map<ChosenStream, Checksums>();
  try {
    for (const stream of streams) all.set(stream, keyed(await warehouse.checksums(stream.spec)));
    return all;
  } catch (error) {
    // An unreadable warehouse is a reason to rebuild, not one to refuse; a locked one is in use.
    if (isLeatError(error) && error.code !== "WAREHOUSE_LOCKED") return undefined;
    throw error;
  }
}

const keyed = (checksums: readonly TableChecksum[]): Checksums =>
  new Map(checksums.map((checksum) => [`${checksum.tenant}/${checksum.seq}`, checksum]));

async function rebuildStream(
  ports: SyncPorts,
  opened: OpenProject,
  stream: ChosenStream,
  before: Checksums | undefined,
  job: RebuildJob,
): Promise<RebuiltStream> {
  // Whoever has a log, also tenants that are no longer in the tenants file.
  const tenants = await listTenants(opened.store, stream.source.name, stream.spec.name);
  const { store, warehouse, progress, workFolder } = ports;
  const outcome = await ports.loadStream(
    { store, warehouse, progress, workFolder },
    stream.spec,
    tenants,
    job.signal,
  );
  for (const load of outcome.tenants) if (load.error !== undefined) throw load.error;
  const after = keyed(await warehouse.checksums(stream.spec));
  const missing = [...(before?.keys() ?? [])].filter((key) => !after.has(key));
  if (missing.length > 0 && !job.acceptMissing) {
    throw missingPackages(stream, opened.landing.url, missing);
  }
  const differences = [...(before ?? [])].filter(([key, was]) => {
    const is = after.get(key);
    return is === undefined || is.rows !== was.rows || is.checksum !== was.checksum;
  });
  const isCompared = before !== undefined && before.size > 0;
  return {
    stream: streamName(stream),
    packages: after.size,
    rows: [...after.values()].reduce((sum, checksum) => sum + checksum.rows, 0),
    comparison: !isCompared ? "none before" : differences.length === 0 ? "equal" : "different",
    differences: differences.slice(0, differencesMax).map(([key]) => key),
  };
}
