/** Rows that were checked → a version in the log, and a table in the warehouse. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetManifest, DatasetPart, FileLayout } from "../model/dataset-manifest.ts";
import { datasetFormatVersion } from "../model/dataset-manifest.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { DatasetScratch } from "../ports/dataset-engine.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { BuildFindings, BuildOutcome, BuildPorts } from "./build-job.ts";
import { createEntry, readNewest } from "./dataset-log.ts";
import { buildPrefix, newBuildId } from "./dataset-names.ts";
import { bringParts } from "./open-version.ts";
import { upload } from "./tidy-cache.ts";

/** What a version is named by: its schema, and its rows in their order. */
export function nameVersion(schema: DatasetManifest["schema"], rowsHash: string): string {
  return createHash("sha256")
    .update(`${JSON.stringify(schema)}\n${rowsHash}`)
    .digest("hex");
}

/** What readers of a version are told of it. */
export const publishedSchema = (spec: DatasetSpec): DatasetManifest["schema"] => ({
  description: spec.description,
  licence: spec.licence ?? null,
  columns: spec.columns.map(({ published }) => published),
  key: spec.key,
  sort: spec.sort,
  tenantColumn: spec.tenantColumn ?? null,
});

/** A version that is to be published after `head`. */
export type VersionToStage = Readonly<{
  spec: DatasetSpec;
  head: DatasetManifest | undefined;
  version: string;
  seen: BuildFindings;
  folder: string;
}>;

/** An entry whose files are in the store, and that nobody sees yet; `paths`: the Parquet files on this machine's disk. */
export type StagedVersion = Readonly<{ entry: DatasetManifest; paths: readonly string[] }>;

/** Writes and uploads the Parquet files of a version, and makes the entry that names them. */
export async function stageVersion(
  ports: BuildPorts,
  scratch: DatasetScratch,
  { spec, head, version, seen, folder }: VersionToStage,
  signal: AbortSignal,
): Promise<StagedVersion> {
  const { store } = ports;
  const seq = (head?.seq ?? 0) + 1;
  const buildId = newBuildId(seq, ports.random.newRunId());
  const prefix = buildPrefix(spec.name, buildId);
  const written = await scratch.writeParts(join(folder, "parts"));
  const parts: DatasetPart[] = [];
  for (const [at, { path, rows }] of written.entries()) {
    signal.throwIfAborted();
    const key = `${prefix}part-${String(at + 1).padStart(5, "0")}.parquet`;
    parts.push({ key, rows, ...(await measure(path)) });
    await upload(store, path, key);
  }
  const entry: DatasetManifest = {
    formatVersion: datasetFormatVersion,
    dataset: spec.name,
    seq,
    version,
    buildId,
    schema: publishedSchema(spec),
    rowCount: seen.rowCount,
    parts,
    layouts: await uploadLayouts(store, `${prefix}layouts.json`, seen.layouts),
    lineage: seen.lineage,
    rules: seen.rules,
    restatement: seen.restatement,
    builtAt: new Date(ports.clock.nowMs()).toISOString(),
  };
  return { entry, paths: written.map(({ path }) => path) };
}

/**
 * Publishes a staged version: creates its entry. Done twice, it finds its own.
 *
 * @returns the entry that has these rows, ours or that of a build that was first with equal ones; `undefined`: another
 *   build has published something else meanwhile, and nothing of ours became visible.
 */
export async function publishEntry(
  store: ObjectStore,
  entry: DatasetManifest,
): Promise<DatasetManifest | undefined> {
  const there = await createEntry(store, entry);
  if (there.buildId === entry.buildId) return there;
  // Nobody will ever name them. Should this not come about, `gc` finds them.
  for (const { key } of entry.parts) await store.delete(key).catch(() => {});
  return there.version === entry.version ? there : undefined;
}

async function measure(path: string): Promise<Readonly<{ bytes: number; sha256: string }>> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array); // Without an encoding.
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}

async function uploadLayouts(
  store: ObjectStore,
  key: string,
  layouts: readonly FileLayout[],
): Promise<DatasetManifest["layouts"]> {
  if (layouts.length === 0) return null;
  const body = Buffer.from(`${JSON.stringify(layouts, undefined, 1)}\n`, "utf8");
  await store.create(key, body);
  return { key, bytes: body.byteLength, sha256: createHash("sha256").update(body).digest("hex") };
}

/**
 * Brings the dataset's table up to the newest entry of its log, whatever happened before.
 *
 * @param paths - the entry's Parquet files, where they are at hand.
 */
export async function publishTable(
  ports: BuildPorts,
  spec: DatasetSpec,
  entry: DatasetManifest,
  options: Readonly<{ folder: string; paths: readonly string[] | undefined }>,
  signal: AbortSignal,
): Promise<BuildOutcome["table"]> {
  const { warehouse, store } = ports;
  if (warehouse.readDataset === undefined || warehouse.publishDataset === undefined) return "unsupported";
  const held = await warehouse.readDataset(spec.name);
  if (held?.seq === entry.seq && held.version === entry.version) return "unchanged";
  const table = {
    dataset: spec.name,
    schema: spec.warehouseSchema,
    description: entry.schema.description,
    columns: entry.schema.columns,
    sort: entry.schema.sort,
    seq: entry.seq,
    version: entry.version,
    rowCount: entry.rowCount,
    paths: options.paths ?? (await bringParts(store, entry, options.folder)),
  };
  // A later entry than the log's newest is of a landing that is no more.
  const newest = (await readNewest(store, spec.name))?.seq ?? entry.seq;
  const replaces = held !== undefined && held.seq > newest ? held.seq : undefined;
  const now = await warehouse.publishDataset({ ...table, replaces }, signal);
  return now.seq === entry.seq ? "published" : "unchanged";
}
