/** I19: a person sets where a stream stands, by appending a manifest that says who, when and why. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { type Head, readHead } from "../landing/log.ts";
import type { CursorValue } from "../model/cursor.ts";
import { describePlace, type StreamPlace, type TenantId } from "../model/ids.ts";
import type { Manifest, ManifestKind, PartitionState } from "../model/manifest.ts";
import type { StreamSpec } from "../model/stream.ts";
import { Boundary } from "./boundary.ts";
import { editFilesState } from "./edit-files-state.ts";
import type { ExtractPorts } from "./extract-job.ts";
import { visibleGeneration } from "./extract-progress.ts";
import { ExtractRun } from "./extract-run.ts";
import { type FilesState, isOfFiles, readFilesState } from "./files-state.ts";
import { startToSend } from "./range-plan.ts";
import { readState } from "./read-state.ts";
import { rebuildBoundary } from "./rebuild-boundary.ts";
import { freshPartition, freshState, mainPartition, type RunState } from "./run-state.ts";

/** Tries against a head that moves on meanwhile. */
const triesMax = 5;

/** What to set. */
export type StateChange = Readonly<{
  /** Cursor, `scannedTo` and `next` become this, of every partition; `undefined`: as if never read. */
  to: CursorValue | undefined;
  who: string;
  why: string;
  /**
   * What becomes of records landed before. `missing`: what is equal to the newest landed version is dropped when it
   * comes again. `again`: all of it is landed once more.
   */
  landedBefore: "missing" | "again";
  /** `closed` marks the tenant as offboarded; its log goes on from there. */
  kind?: Extract<ManifestKind, "state-edit" | "closed">;
  /** Also trust the source's order again, after it had been broken (I7). */
  restoresOrder?: boolean;
  /** Number of the manifest that whoever edits has seen, 0 before any: with a newer one nothing is changed. */
  seenSeq?: number;
}>;

/** Stream and tenant whose state is edited. */
export type StateEditJob = Readonly<{ spec: StreamSpec; tenant: TenantId; tenantColumn: string }>;

/** The world of an edit. */
export type StateEditPorts = Omit<ExtractPorts, "progress">;

/**
 * Sets a state.
 *
 * @returns the manifest that says so.
 * @throws {@link LeatError} `STATE_CONFLICT` when runs keep committing first; `CURSOR_MOVED` when another manifest than
 *   the one that was seen is the newest.
 */
export async function editState(
  ports: StateEditPorts,
  job: StateEditJob,
  change: StateChange,
): Promise<Manifest> {
  const place: StreamPlace = { source: job.spec.source, stream: job.spec.name, tenant: job.tenant };
  for (let attempt = 1; ; attempt++) {
    try {
      return await editOnce(ports, job, place, change);
    } catch (error) {
      if (!isLeatError(error) || error.code !== "STATE_CONFLICT" || attempt >= triesMax) {
        throw error instanceof LeatError ? error.at(place) : error;
      }
    }
  }
}

async function editOnce(
  ports: StateEditPorts,
  job: StateEditJob,
  place: StreamPlace,
  change: StateChange,
): Promise<Manifest> {
  const { spec } = job;
  const head = await readHead(ports.store, place);
  refuseMoved(place, head?.manifest.seq ?? 0, change.seenSeq);
  if (isOfFiles(head)) {
    const state = editFilesState(await readFilesState(ports.store, head), place, change);
    return await commitEdit(ports, job, change, { head, state });
  }
  const found = await readState(ports.store, head);
  const start = startToSend(spec.cursor, change.to);
  if (change.to !== undefined && spec.cursor === undefined) {
    throw new LeatError("CURSOR_INVALID", {
      message: `${describePlace(place)} has no cursor that could be set.`,
      hint: "Reset it, or run it with --full-refresh.",
    });
  }
  const set = (): PartitionState => ({
    cursor: change.to,
    scannedTo: change.to,
    next: change.to,
    since: start,
  });
  const partitions = new Map(
    [...found.partitions].map(([value, { number }]) => [value, { number, state: set() }]),
  );
  if (partitions.size === 0 && spec.partitions !== undefined && change.to !== undefined) {
    throw new LeatError("CURSOR_INVALID", {
      message: `${describePlace(place)} has no partition yet whose cursor could be set.`,
      hint: "Sync it once, then set its cursor.",
    });
  }
  if (partitions.size === 0 && spec.partitions === undefined) {
    partitions.set(mainPartition, { number: 0, state: change.to === undefined ? freshPartition : set() });
  }
  const isMissing = change.landedBefore === "missing" && head !== undefined;
  const boundary = isMissing
    ? await rebuildBoundary(ports, { place, spec, head, partitions: found.partitions }, () => start)
    : new Boundary();
  if (isMissing) {
    // Quarantined records are in no part.
    for (const [key, entry] of found.boundary) if (entry.cursor === undefined) boundary.set(key, entry);
  }
  return await commitEdit(ports, job, change, { head, found, state: { partitions, boundary } });
}

function refuseMoved(place: StreamPlace, seq: number, seenSeq: number | undefined): void {
  if (seenSeq === undefined || seq === seenSeq) return;
  throw new LeatError("CURSOR_MOVED", {
    message: `${describePlace(place)} stands at package ${seq}, and ${seenSeq} was seen; nothing was changed.`,
    details: { seq, seenSeq },
  });
}

async function commitEdit(
  ports: StateEditPorts,
  job: StateEditJob,
  change: StateChange,
  edit: Readonly<{ head: Head | undefined; found?: RunState; state: RunState | FilesState }>,
): Promise<Manifest> {
  const { head, found = freshState(), state } = edit;
  const run = ExtractRun.forEdit(ports, job, head, found);
  // Partitions made of parents are read again from here also where only changed parents are read.
  if (change.kind !== "closed") run.parentSeq = 0;
  try {
    return await run.commit({
      kind: change.kind ?? "state-edit",
      generation: visibleGeneration(head),
      isFinal: false,
      state,
      isOrdered: change.restoresOrder === true || (head?.manifest.isOrdered ?? true),
      edit: {
        who: change.who,
        at: new Date(ports.clock.nowMs()).toISOString(),
        why: change.why,
        landedBefore: change.landedBefore,
      },
    });
  } finally {
    await run.abort();
  }
}
