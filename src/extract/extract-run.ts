/**
 * One run: what it started from, what it has landed since its last commit, and the commit itself (PROTOCOL I2, I10).
 *
 * A run is `reading` ranges; each completed range is `confirmed` and may be committed at once or together with the
 * next ones. A commit makes a manifest of everything confirmed, under the intended seq; then the next seq is intended.
 */
import { LeatError } from "../errors/leat-error.ts";
import { crc32cOf } from "../landing/crc32c.ts";
import { appendManifest, type Head } from "../landing/log.ts";
import { fileKey, partName } from "../landing/names.ts";
import { PartWriter } from "../landing/part-writer.ts";
import { type ColumnTable, foldColumns } from "../model/column-kinds.ts";
import { describePlace, type RunId, type StreamPlace, type TenantId } from "../model/ids.ts";
import {
  doneKeysMax,
  type ExtractCounts,
  type Generation,
  type Manifest,
  type ManifestKind,
  manifestFormatVersion,
  type PartEntry,
  type PartitionState,
  type RawFileEntry,
  type StateEdit,
  type StateSummary,
} from "../model/manifest.ts";
import { partitionColumn, type StreamSpec } from "../model/stream.ts";
import type { Boundary } from "./boundary.ts";
import { type MutableCounts, zeroCounts } from "./extract-counts.ts";
import type { CommitJob, ExtractJob, ExtractPorts } from "./extract-job.ts";
import { encodeFilesState, type FilesState } from "./files-state.ts";
import type { QuarantineReason } from "./range-context.ts";

import { type SourceTime, startToSend } from "./range-plan.ts";
import { encodeState, freshPartition, freshState, type RunState, summarizePartitions } from "./run-state.ts";

/** States up to this stand in the manifest itself; larger ones are a landed file (PROTOCOL, bounds). */
const inlineStateBytesMax = 32 * 1024;

/** What a commit says of itself beyond what the run knows. */
export type CommitFacts = Readonly<{
  kind?: ManifestKind;
  generation: Generation;
  isFinal: boolean;
  /** The state that readers and later runs see after this manifest. */
  state: RunState | FilesState;
  isOrdered: boolean;
  /** Raw files that the records landed since the last commit tell of, in a stream of files. */
  files?: readonly RawFileEntry[];
  edit?: StateEdit | undefined;
}>;

/** What a range that is complete hands over. */
export type Confirmed = Readonly<{
  counts: ExtractCounts;
  columns: ColumnTable;
  rowNumber: number;
  reasons: Map<string, QuarantineReason>;
}>;

/** A run in progress. */
export class ExtractRun {
  readonly ports: ExtractPorts;
  readonly job: CommitJob;
  readonly place: StreamPlace;
  readonly runId: RunId;
  readonly startedMs: number;
  /** The partition states as they were when the run began. */
  readonly before: PartitionState;
  head: Head | undefined;
  seq: number;
  rows!: PartWriter;
  quarantine!: PartWriter;
  rowNumber = 0;
  counts: MutableCounts = zeroCounts();
  columns: ColumnTable = new Map();
  time: SourceTime | undefined;
  sourceClockMs: number | undefined;
  parentSeq: number;
  readonly totals: MutableCounts = zeroCounts();
  readonly #reasons = new Map<string, QuarantineReason>();
  readonly seqs: number[] = [];
  pages = 0;
  receivedBytes = 0;
  landedBytes = 0;

  constructor(ports: ExtractPorts, job: CommitJob, head: Head | undefined, state: RunState) {
    this.ports = ports;
    this.job = job;
    this.place = { source: job.spec.source, stream: job.spec.name, tenant: job.tenant.id };
    this.runId = ports.random.newRunId();
    this.startedMs = ports.clock.nowMs();
    this.head = head;
    this.seq = (head?.manifest.seq ?? 0) + 1;
    this.parentSeq = head?.manifest.parentSeq ?? 0;
    this.before = summarizePartitions(state);
    this.#openWriters();
  }

  /** A run that reads nothing: an edit, an empty manifest. */
  static forEdit(
    ports: Omit<ExtractPorts, "progress">,
    job: Readonly<{ spec: StreamSpec; tenant: TenantId; tenantColumn: string }>,
    head: Head | undefined,
    state: RunState,
  ): ExtractRun {
    const { spec, tenantColumn } = job;
    const tenant = { id: job.tenant, fields: {} };
    const commit: CommitJob = { spec, tenant, tenantColumn, compression: "none", idempotencyKey: undefined };
    return new ExtractRun({ ...ports, progress: () => {} }, commit, head, state);
  }

  /** When rows of this package say they were extracted: one time a package, so that its bytes do not depend on luck. */
  get extractedAt(): string {
    return new Date(this.startedMs).toISOString();
  }

  get partitionColumn(): string | undefined {
    return partitionColumn(this.job.spec);
  }

  /** Bytes landed and confirmed since the last commit. */
  get uncommittedBytes(): number {
    return this.rows.plainBytes;
  }

  get hasUncommitted(): boolean {
    return this.counts.received > 0;
  }

  /** Takes what a completed range counted. */
  confirm(range: Confirmed): void {
    for (const name of Object.keys(range.counts) as (keyof ExtractCounts)[])
      this.counts[name] += range.counts[name];
    this.columns = foldColumns([this.columns, range.columns]);
    this.rowNumber = range.rowNumber;
    for (const [reason, { count, first }] of range.reasons) {
      const seen = this.#reasons.get(reason) ?? { count: 0, first };
      this.#reasons.set(reason, { ...seen, count: seen.count + count });
    }
    range.reasons.clear();
  }

  /**
   * Makes everything confirmed visible, as one manifest at the intended seq.
   *
   * @throws {@link LeatError} `QUARANTINE_SHARE_EXCEEDED`, `ACCOUNTING_MISMATCH`, `STATE_CONFLICT`: nothing was committed.
   */
  async commit(facts: CommitFacts): Promise<Manifest> {
    const { job } = this;
    this.#checkQuarantine();
    const parts = await this.rows.finish();
    const quarantine = await this.quarantine.finish();
    this.#checkAccounting(parts, quarantine, facts.files);
    const previous = this.head?.manifest;
    const kind =
      facts.kind ?? (parts.length > 0 || facts.generation.state === "completed" ? "data" : "empty");
    const isLink = previous?.kind === "data" || previous?.kind === "forget";
    const doneKeys = previous?.doneKeys ?? [];
    const key = facts.isFinal ? job.idempotencyKey : undefined;
    const manifest: Manifest = {
      formatVersion: manifestFormatVersion,
      ...this.place,
      seq: this.seq,
      runId: this.runId,
      previousDataSeq: previous === undefined ? 0 : isLink ? previous.seq : previous.previousDataSeq,
      kind,
      idempotencyKey: job.idempotencyKey,
      isFinal: facts.isFinal,
      generation: facts.generation,
      visible: this.#visible(facts.generation, parts),
      before: this.before,
      state: await this.#storeState(facts.state),
      isOrdered: facts.isOrdered,
      doneKeys: key === undefined ? doneKeys : [...doneKeys, key].slice(-doneKeysMax),
      parentSeq: this.parentSeq,
      parts,
      quarantine,
      ...(facts.files !== undefined && facts.files.length > 0 && { files: facts.files }),
      columns: this.columns,
      counts: { ...this.counts },
      tenantColumn: job.tenantColumn,
      partitionColumn: this.partitionColumn,
      sourceClockMs: this.sourceClockMs,
      startedAt: new Date(this.startedMs).toISOString(),
      committedAt: new Date(this.ports.clock.nowMs()).toISOString(),
      edit: facts.edit,
      forgets: [],
    };
    this.head = await appendManifest(this.ports.store, manifest);
    this.seqs.push(this.seq);
    this.landedBytes += parts.reduce((sum, part) => sum + part.plainBytes, 0);
    for (const name of Object.keys(this.counts) as (keyof ExtractCounts)[])
      this.totals[name] += this.counts[name];
    this.ports.progress({ type: "committed", ...this.place, seq: this.seq, landed: this.counts.landed });
    this.#beginNextPackage();
    return manifest;
  }

  /** Ends the run without a trace but for orphans. */
  async abort(): Promise<void> {
    await this.rows.abort();
    await this.quarantine.abort();
  }

  #beginNextPackage(): void {
    this.seq++;
    this.rowNumber = 0;
    this.counts = zeroCounts();
    this.columns = new Map();
    this.#openWriters();
  }

  #openWriters(): void {
    const { compression } = this.job;
    const writer = (area: "landing" | "quarantine") =>
      new PartWriter({
        store: this.ports.store,
        compression,
        keyOf: (number) =>
          fileKey(this.place, {
            area,
            seq: this.seq,
            runId: this.runId,
            name: partName(number, compression),
          }),
      });
    this.rows = writer("landing");
    this.quarantine = writer("quarantine");
  }

  #visible(generation: Generation, parts: readonly PartEntry[]): Manifest["visible"] {
    const landed = parts.reduce((sum, part) => sum + part.records, 0);
    const before = this.head?.manifest.visible ?? { number: 0, records: 0 };
    if (generation.state === "open") return before;
    if (generation.state === "completed") return { number: generation.number, records: landed };
    return { number: before.number, records: before.records + landed };
  }

  async #storeState(state: RunState | FilesState): Promise<StateSummary> {
    const [bytes, summary] = await this.#encodeState(state);
    if (bytes.length <= inlineStateBytesMax) {
      return { ...summary, inline: bytes.toString("base64"), file: undefined };
    }
    const key = fileKey(this.place, {
      area: "landing",
      seq: this.seq,
      runId: this.runId,
      name: "state-00001.leat",
    });
    await this.ports.store.create(key, bytes); // Named for this run alone: what exists is our own, its answer lost.
    return {
      ...summary,
      inline: undefined,
      file: { key, bytes: bytes.length, crc32c: crc32cOf(bytes) },
    };
  }

  async #encodeState(state: RunState | FilesState) {
    if ("files" in state) {
      const summary = {
        main: freshPartition,
        partitionCount: 0,
        boundaryCount: 0,
        fileCount: state.files.size,
      };
      return [await encodeFilesState(state), summary] as const;
    }
    const { partitions, boundary } = state;
    const counts = { partitionCount: partitions.size, boundaryCount: boundary.size };
    return [encodeState(state), { main: summarizePartitions(state), ...counts }] as const;
  }

  #checkQuarantine(): void {
    const { quarantined, received } = this.counts;
    const share = this.job.spec.bounds.quarantineShareMax;
    if (quarantined <= received * share) return;
    const reasons = [...this.#reasons].map(
      ([reason, { count, first }]) => `${count} ${reason}, first at ${first}`,
    );
    throw new LeatError("QUARANTINE_SHARE_EXCEEDED", {
      message: `${describePlace(this.place)}: ${quarantined} of ${received} records cannot be rows (${reasons.join("; ")}), more than the share ${share} of \`quarantineShareMax\`; nothing was committed.`,
      hint: this.#reasons.has("reserved-column")
        ? "A field has the name of one of leat's columns: choose another `tenantColumn` in the project."
        : undefined,
      details: {
        received,
        quarantined,
        quarantineShareMax: share,
        reasons: Object.fromEntries(this.#reasons),
      },
    });
  }

  /** I10: every record received is accounted for, and the parts hold what was counted; each tells of one raw file. */
  #checkAccounting(
    parts: readonly PartEntry[],
    quarantine: readonly PartEntry[],
    files: readonly RawFileEntry[] | undefined,
  ): void {
    const { received, landed, boundarySkipped, repeated, quarantined } = this.counts;
    const inParts = parts.reduce((sum, part) => sum + part.records, 0);
    const inQuarantine = quarantine.reduce((sum, part) => sum + part.records, 0);
    const addsUp =
      received === landed + boundarySkipped + repeated + quarantined &&
      inParts === landed &&
      inQuarantine === quarantined &&
      (files === undefined || files.length === landed);
    if (addsUp) return;
    throw new LeatError("ACCOUNTING_MISMATCH", {
      message: `${describePlace(this.place)}: received ${received}, landed ${landed} (${inParts} in parts), skipped ${boundarySkipped}, repeated ${repeated}, quarantined ${quarantined} (${inQuarantine} in parts).`,
      details: { ...this.counts, inParts, inQuarantine, files: files?.length },
    });
  }
}

/**
 * The state to store after some ranges: the boundary is trimmed to each partition's `next`, from where it is then
 * complete, or from where it was complete before if that is later: a state that went back (I7) has forgotten what lies
 * between, until its own range makes the boundary again (I5).
 */
export function storedState(
  job: ExtractJob,
  partitions: RunState["partitions"],
  boundary: Boundary,
): RunState {
  if (job.spec.writeDisposition === "replace") return { ...freshState(), partitions };
  const starts: (bigint | undefined)[] = [];
  const settled = new Map<string, { number: number; state: PartitionState }>();
  for (const [key, { number, state }] of partitions) {
    const start = startToSend(job.spec.cursor, state.next);
    const isKnown = start !== undefined && (state.since === undefined || start > state.since);
    starts[number] = start;
    settled.set(key, { number, state: { ...state, since: isKnown ? start : state.since } });
  }
  const trimmed = boundary.filter((entry) => {
    const start = starts[entry.partition];
    return start === undefined || entry.cursor === undefined || entry.cursor >= start;
  });
  return { partitions: settled, boundary: trimmed };
}
