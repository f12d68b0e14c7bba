/** A sync's items as JSON: what the CLI prints with `--json` and the HTTP app answers. */
import { type CursorValue, printCursor } from "../model/cursor.ts";
import type { JsonObject } from "../model/json-value.ts";
import type { ExtractCounts, PartitionState } from "../model/manifest.ts";
import type { StreamSpec } from "../model/stream.ts";
import { itemError, type SyncItem } from "./sync-job.ts";

/** A cursor value as people write it; `null`: none yet. */
export function printValue(spec: StreamSpec, value: CursorValue | undefined): string | null {
  return value === undefined ? null : printCursor(value, spec.cursor?.format ?? "iso");
}

/** Where a stream stands for a tenant, as JSON. */
export function printState(spec: StreamSpec, state: PartitionState): JsonObject {
  return {
    cursor: printValue(spec, state.cursor),
    scanned_to: printValue(spec, state.scannedTo),
    next: printValue(spec, state.next),
  };
}

/** Counts as JSON. */
export const printCounts = (counts: ExtractCounts): JsonObject => ({
  received: counts.received,
  landed: counts.landed,
  boundary_skipped: counts.boundarySkipped,
  repeated: counts.repeated,
  quarantined: counts.quarantined,
  restated: counts.restated,
  unusable_cursor: counts.unusableCursor,
});

/** `done`: all that was asked for; else which step failed. */
const statusOf = (item: SyncItem): string => {
  if (item.extractError !== undefined) return "extract-failed";
  if (item.loadError !== undefined) return "load-failed";
  return item.extract?.status ?? "done";
};

/** One stream and tenant as JSON. The error is left out: CLI and server print it in their own way. */
export function printItem(item: SyncItem): JsonObject {
  const { extract, load, spec } = item;
  return {
    source: item.source,
    stream: item.stream,
    tenant_id: item.tenant,
    ok: itemError(item) === undefined,
    status: statusOf(item),
    ...(extract && {
      counts: printCounts(extract.counts),
      cursor: {
        before: printValue(spec, extract.before.cursor),
        after: printValue(spec, extract.after.cursor),
      },
      next: { before: printValue(spec, extract.before.next), after: printValue(spec, extract.after.next) },
      packages: extract.seqs,
      requests: extract.requests,
      pages: extract.pages,
      received_bytes: extract.receivedBytes,
      landed_bytes: extract.landedBytes,
      has_more: extract.hasMore,
      ...(extract.missingFiles !== undefined && { missing_files: extract.missingFiles }),
    }),
    ...(load && {
      load: { packages: load.packages, loaded: load.loaded, rejected: load.rejected, seq: load.seq },
    }),
  };
}
