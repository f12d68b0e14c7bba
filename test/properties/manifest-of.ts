/** Manifests and logs made by hand, for tests of what reads them. */

import { freshPartition } from "../../src/extract/run-state.ts";
import { encodeManifest } from "../../src/landing/manifest-codec.ts";
import { manifestKey } from "../../src/landing/names.ts";
import { type StreamPlace, toRunId, toTenantId } from "../../src/model/ids.ts";
import { type Manifest, manifestFormatVersion } from "../../src/model/manifest.ts";
import type { MemoryObjects } from "../../src/testing/memory-store.ts";

export const place: StreamPlace = { source: "partner", stream: "records", tenant: toTenantId("414") };

/** An empty manifest, but for what is said otherwise. */
export function manifestOf(seq: number, given: Partial<Manifest> = {}): Manifest {
  return {
    formatVersion: manifestFormatVersion,
    ...place,
    seq,
    runId: toRunId(`run-${seq}`),
    previousDataSeq: 0,
    kind: "empty",
    idempotencyKey: undefined,
    isFinal: true,
    generation: { number: 0, state: "visible", runId: undefined },
    visible: { number: 0, records: 0 },
    before: freshPartition,
    state: { main: freshPartition, partitionCount: 0, boundaryCount: 0, inline: undefined, file: undefined },
    isOrdered: true,
    doneKeys: [],
    parentSeq: 0,
    parts: [],
    quarantine: [],
    columns: new Map(),
    counts: {
      received: 0,
      landed: 0,
      boundarySkipped: 0,
      repeated: 0,
      quarantined: 0,
      restated: 0,
      unusableCursor: 0,
    },
    tenantColumn: "tenant_id",
    partitionColumn: undefined,
    sourceClockMs: undefined,
    startedAt: "2026-01-10T00:00:00.000Z",
    committedAt: "2026-01-10T00:00:01.000Z",
    edit: undefined,
    forgets: [],
    ...given,
  };
}

/** Puts manifests where their log is, without a head hint. */
export function putManifests(objects: MemoryObjects, manifests: readonly Manifest[]): void {
  for (const manifest of manifests) {
    objects.set(manifestKey(manifest, manifest.seq), { body: encodeManifest(manifest), createdAtMs: 0 });
  }
}
