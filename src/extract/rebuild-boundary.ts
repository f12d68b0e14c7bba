/** The boundary, made again from landed parts: when a range begins before where the stored one is complete (I5). */

import { type Head, walkPackages } from "../landing/log.ts";
import { readPart } from "../landing/part-reader.ts";
import type { CursorValue } from "../model/cursor.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { Manifest } from "../model/manifest.ts";
import { leatColumns, type StreamSpec } from "../model/stream.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { OpenScanner, RecordBatch } from "../scan/record-batch.ts";
import { Boundary } from "./boundary.ts";
import { parseCursorToken, tokenText } from "./cursor-token.ts";
import { isUsable } from "./range-plan.ts";
import { wantedFields } from "./record-fields.ts";
import { type Extents, hashKey, hashRecord } from "./record-hash.ts";
import { unspliceRow } from "./row-splice.ts";
import type { RunState } from "./run-state.ts";

/** Where the next range of a partition begins. */
export type StartOf = (partition: string) => CursorValue | undefined;

/**
 * Reads every visible package of a log, oldest first, and keeps what the next ranges may show again.
 *
 * @param startOf - start of a partition's range, as it will be sent; `undefined`: everything.
 * @returns entries that count as landed by earlier runs.
 */
export async function rebuildBoundary(
  ports: Readonly<{ store: ObjectStore; openScanner: OpenScanner }>,
  facts: Readonly<{ place: StreamPlace; spec: StreamSpec; head: Head; partitions: RunState["partitions"] }>,
  startOf: StartOf,
): Promise<Boundary> {
  const { head, place } = facts;
  const packages: Manifest[] = [];
  const gone = new Set<number>();
  const first = head.manifest.visible.number;
  for await (const { manifest } of walkPackages(ports.store, place, head, Math.max(0, first - 1))) {
    for (const seq of manifest.forgets) gone.add(seq);
    // An open manifest of the visible generation became visible with it; one of another generation has another number.
    const isVisible = manifest.kind === "data" && manifest.generation.number === first;
    if (isVisible && !gone.has(manifest.seq)) packages.unshift(manifest);
  }
  const boundary = new Boundary();
  for (const manifest of packages) {
    for (const part of manifest.parts) {
      await addPart(ports.openScanner, facts, manifest, readPart(ports.store, part), boundary, startOf);
    }
  }
  return boundary;
}

async function addPart(
  openScanner: OpenScanner,
  facts: Readonly<{ spec: StreamSpec; partitions: RunState["partitions"] }>,
  manifest: Manifest,
  chunks: AsyncIterable<Uint8Array>,
  boundary: Boundary,
  startOf: StartOf,
): Promise<void> {
  const { spec } = facts;
  const column = manifest.partitionColumn;
  // The last spliced column tells where a record's own bytes begin; records cannot have it themselves.
  const lastSpliced = column ?? leatColumns.extractedAt;
  const fields = [lastSpliced, ...wantedFields(spec)];
  const scanner = openScanner({ selector: { form: "lines" }, fields, reserved: [] });
  const add = () => {
    for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) {
      for (let i = 0; i < batch.count; i++)
        addRow(facts, manifest, batch, i, fields.length, boundary, startOf);
    }
  };
  for await (const chunk of chunks) {
    scanner.push(chunk);
    add();
  }
  scanner.end();
  add();
}

function addRow(
  facts: Readonly<{ spec: StreamSpec; partitions: RunState["partitions"] }>,
  manifest: Manifest,
  batch: RecordBatch,
  i: number,
  fieldCount: number,
  boundary: Boundary,
  startOf: StartOf,
): void {
  const { spec, partitions } = facts;
  const { bytes } = batch;
  const extent = (field: number) =>
    [batch.fieldStarts[i * fieldCount + field] ?? -1, batch.fieldEnds[i * fieldCount + field] ?? -1] as const;
  const keyCount = spec.primaryKey.length;
  const { cursor } = spec;
  const [splicedStart, splicedEnd] = extent(0);
  const partition =
    manifest.partitionColumn === undefined ? "" : (tokenText(bytes, splicedStart, splicedEnd) ?? "");
  const t0 = BigInt(manifest.sourceClockMs ?? Date.parse(manifest.committedAt)) * 1000n;
  const parsed = cursor && parseCursorToken(bytes, ...extent(1 + keyCount), cursor.format, cursor.zone);
  const isGood = cursor !== undefined && isUsable(cursor, parsed, { t0, isFromSource: true });
  const value = isGood && parsed !== undefined ? BigInt(parsed) : undefined;
  const start = startOf(partition);
  const isBelow = start !== undefined && value !== undefined && value < start;
  if (isBelow && keyCount === 0) return;
  const volatile: Extents = spec.volatileFields.map((_, at) => extent(1 + keyCount + (cursor ? 1 : 0) + at));
  const recordStart = unspliceRow(bytes, splicedEnd);
  const content = hashRecord(bytes, recordStart, batch.ends[i] ?? 0, volatile);
  const number = partitions.get(partition)?.number ?? 0;
  if (keyCount > 0) {
    // A newer version below the start still takes the place of an older one above it.
    const key = hashKey(
      partition,
      bytes,
      spec.primaryKey.map((_, at) => extent(1 + at)),
    );
    if (!isBelow || boundary.get(key) !== undefined) {
      boundary.set(key, { content, cursor: value, partition: number, count: 1, isOwn: false });
    }
    return;
  }
  const key = partition === "" ? content : hashKey(partition, content, [[0, content.length]]);
  const count = (boundary.get(key)?.count ?? 0) + 1;
  boundary.set(key, { content, cursor: value, partition: number, count, isOwn: false });
}
