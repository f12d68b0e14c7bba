/**
 * Landed parts as lines of text in a table of their own, from which the commit reads.
 *
 * A load job takes each line whole, as the one column of a CSV without quotes: nothing of a record is interpreted, so
 * nothing of it is rounded, guessed or lost. Whose record it is, is said by the path (`tenant=…/seq=…/`), not by the
 * line (I13). The table belongs to one commit and is overwritten by each attempt, so that a repeat changes nothing.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv and
 *   https://docs.cloud.google.com/bigquery/docs/hive-partitioned-loads-gcs (read 2026-11-21)
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { LeatError } from "../../errors/leat-error.ts";
import type { WarehouseId } from "../../model/ids.ts";
import type { Compression } from "../../model/manifest.ts";
import { encodeName } from "../../model/path-name.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { PackageToLoad, StagedPart } from "../../ports/warehouse.ts";
import { copiesPrefix } from "./collect-copies.ts";
import type { TableField } from "./field-types.ts";
import { JobFailure, type Jobs } from "./jobs.ts";
import type { TablePlace, Tables } from "./tables.ts";

/** Where copies of parts go that BigQuery cannot read where they lie. */
export type StagingTools = Readonly<{
  /** A store at `gs://`; `undefined`: none was named. */
  openStaging: (() => Promise<ObjectStore>) | undefined;
  /** The plain bytes of a part on this machine. */
  readPart: (part: StagedPart) => AsyncIterable<Uint8Array>;
}>;

/** What a commit reads, and what is thrown away after it. */
export type StagedLines = Readonly<{ tables: readonly TablePlace[]; copies: readonly string[] }>;

/** URIs of one load job; the bound of the service. */
const urisMax = 10_000;
/** A table of lines drops itself after a day, should nobody be left to do it. */
const linesLiveMs = 86_400_000;

const seqDigits = 12;
const lineField: TableField = { name: "line", type: "STRING" };
const placeFields: readonly TableField[] = ["tenant", "seq", "run"].map((name) => ({ name, type: "STRING" }));

/** The two folders of a part's path that say whose it is, as they are written in the landing. */
export function placeOf(pack: PackageToLoad): Readonly<{ tenant: string; seq: string }> {
  return { tenant: encodeName(pack.tenant), seq: String(pack.seq).padStart(seqDigits, "0") };
}

/** Whether BigQuery reads a landed part where it lies. */
export function isReadInPlace(storeUrl: string, compression: Compression): boolean {
  return storeUrl.startsWith("gs://") && compression !== "zstd";
}

/** Parts of one form, loaded by one job. */
type LineSource = { readonly prefix: string; readonly isGzip: boolean; readonly uris: string[] };

/** What a stage is for. */
export type StageJob = Readonly<{
  id: WarehouseId;
  spec: StreamSpec;
  packages: readonly PackageToLoad[];
  dataset: string;
  project: string;
  nowMs: number;
  /** Of the commit: others have other tables. */
  identity: string;
}>;

/**
 * Loads the lines of packages.
 *
 * @throws LeatError `PART_MISSING` naming the object, `CONFIG_INVALID` when parts need a staging bucket and none is
 *   named or bucket and dataset are in different places, and what {@link Jobs.run} throws.
 */
export async function stageParts(
  ports: Readonly<{ jobs: Jobs; tables: Tables; tools: StagingTools }>,
  job: StageJob,
  signal: AbortSignal,
): Promise<StagedLines> {
  const { sources, copies } = await placeParts(ports.tools, job, signal);
  const tables: TablePlace[] = [];
  for (const source of sources)
    for (let from = 0; from < source.uris.length; from += urisMax)
      tables.push(await loadLines(ports, job, source, source.uris.slice(from, from + urisMax), signal));
  return { tables, copies };
}

/** Removes what a commit has read. */
export async function removeLines(tables: Tables, tools: StagingTools, lines: StagedLines): Promise<void> {
  for (const place of lines.tables) await tables.drop(place);
  if (lines.copies.length === 0) return;
  const store = await tools.openStaging!();
  for (const key of lines.copies) await store.delete(key);
}

async function placeParts(tools: StagingTools, job: StageJob, signal: AbortSignal) {
  const sources = new Map<string, LineSource>();
  const copies: string[] = [];
  const add = (prefix: string, isGzip: boolean, uri: string) => {
    const key = `${isGzip} ${prefix}`;
    const source = sources.get(key) ?? { prefix, isGzip, uris: [] };
    sources.set(key, source);
    source.uris.push(uri);
  };
  for (const pack of job.packages)
    for (const [at, part] of pack.parts.filter(({ entry }) => entry.records > 0).entries()) {
      if (part.path.startsWith("gs://")) {
        add(prefixOf(part.path, pack), part.compression === "gzip", part.path);
        continue;
      }
      const copy = await copyPart(tools, job, pack, part, at, signal);
      copies.push(copy.key);
      add(prefixOf(copy.uri, pack), copy.isGzip, copy.uri);
    }
  return { sources: [...sources.values()], copies };
}

/** What stands before a part's place in its path. */
function prefixOf(uri: string, pack: PackageToLoad): string {
  const { tenant, seq } = placeOf(pack);
  const at = uri.indexOf(`/tenant=${tenant}/seq=${seq}/run=`);
  if (at < 0)
    throw new LeatError("PART_CORRUPT", {
      message: `The part ${uri} is not at the place of tenant ${pack.tenant}, package ${pack.seq}.`,
      hint: "Its manifest names a file of another place: restore the log from a backup.",
      details: { tenant: pack.tenant, seq: pack.seq },
    });
  return uri.slice(0, at + 1);
}

async function copyPart(
  { openStaging, readPart }: StagingTools,
  { id, spec, identity }: StageJob,
  pack: PackageToLoad,
  part: StagedPart,
  at: number,
  signal: AbortSignal,
) {
  if (openStaging === undefined)
    throw new LeatError("CONFIG_INVALID", {
      message: `BigQuery cannot read the part ${part.entry.key}: ${
        part.compression === "zstd" ? "it is compressed with zstd" : "the landing is not a bucket of Google's"
      }.`,
      hint: "Put the landing at gs://…, or name a bucket for copies in the warehouse's address: &stagingBucket=gs://bucket/prefix.",
      details: { key: part.entry.key },
    });
  const store = await openStaging();
  const isGzip = part.compression === "gzip";
  const { tenant, seq } = placeOf(pack);
  // Copies are the commit's own, as its lines are: whoever ends first removes them.
  const commit = createHash("sha256").update(identity).digest("hex").slice(0, 20);
  const folder = `${copiesPrefix}${id}/${encodeName(spec.source)}/${encodeName(spec.name)}/${commit}`;
  const name = `part-${String(at + 1).padStart(5, "0")}.ndjson${isGzip ? ".gz" : ""}`;
  const key = `${folder}/tenant=${tenant}/seq=${seq}/run=${pack.manifestHash.slice(0, 20)}/${name}`;
  const writer = await store.openWriter(key);
  try {
    for await (const chunk of isGzip ? createReadStream(part.path) : readPart(part)) {
      signal.throwIfAborted();
      await writer.write(chunk);
    }
    await writer.commit(); // One that is there already is of the same manifest, and so of the same bytes.
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return { key, uri: `${store.url}/${key}`, isGzip };
}

async function loadLines(
  { jobs, tables }: Readonly<{ jobs: Jobs; tables: Tables }>,
  job: StageJob,
  { prefix, isGzip }: LineSource,
  uris: readonly string[],
  signal: AbortSignal,
): Promise<TablePlace> {
  const { spec, dataset, project, nowMs } = job;
  const identity = JSON.stringify([job.id, job.identity, prefix, isGzip, uris]);
  const digits = createHash("sha256").update(identity).digest("hex").slice(0, 24);
  const place: TablePlace = { dataset, table: `_leat_lines_${digits}` };
  const what = `load the landed files of ${spec.source}.${spec.name}`;
  await tables.make(place, {
    fields: [lineField, ...placeFields],
    expiresAtMs: nowMs + linesLiveMs,
    description: `Landed lines on their way into ${spec.source}.${spec.name}`,
  });
  const load = {
    sourceUris: uris,
    destinationTable: { projectId: project, datasetId: dataset, tableId: place.table },
    sourceFormat: "CSV",
    // No byte below 0x20 is in a landed line, so this separates nothing; nor does any sign quote.
    fieldDelimiter: "\u0001",
    quote: "",
    encoding: "UTF-8",
    maxBadRecords: 0,
    schema: { fields: [lineField] },
    createDisposition: "CREATE_NEVER",
    writeDisposition: "WRITE_TRUNCATE",
    hivePartitioningOptions: {
      mode: "CUSTOM",
      sourceUriPrefix: `${prefix}{tenant:STRING}/{seq:STRING}/{run:STRING}`,
    },
  };
  const labels = { source: spec.source, stream: spec.name };
  try {
    await jobs.run({ kind: "load", identity, configuration: { load }, labels, what }, signal);
  } catch (error) {
    throw error instanceof JobFailure ? loadError(error, project, dataset) : error;
  }
  return place;
}

function loadError(error: JobFailure, project: string, dataset: string): LeatError {
  const { message, reason } = error.failure;
  const [uri] = /gs:\/\/[^\s'",]+/.exec(message) ?? [];
  if (/different locations|is not available in the location|in location/i.test(message))
    return new LeatError("CONFIG_INVALID", {
      message: `The landed files and the dataset ${project}.${dataset} are in different places: ${message}`,
      hint: "BigQuery loads from a bucket in its own location: make the dataset where the bucket is, or the other way round.",
      cause: error.failure,
    });
  if (uri !== undefined && (reason === "notFound" || /not found/i.test(message)))
    return new LeatError("PART_MISSING", {
      message: `The landed file ${uri} is not there.`,
      details: { uri },
      cause: error.failure,
    });
  return error.toLeatError();
}
