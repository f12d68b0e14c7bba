/** Packages of a tenant's log made by hand: records as JSON text, landed as extract does it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32cOf } from "../../src/landing/crc32c.ts";
import { appendManifest, readHead } from "../../src/landing/log.ts";
import { fileKey } from "../../src/landing/names.ts";
import { newRunId, type StreamPlace } from "../../src/model/ids.ts";
import type { Manifest } from "../../src/model/manifest.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { type LandedPackageOptions, landPackage } from "../../src/testing/landed-package.ts";
import { manifestOf } from "../properties/manifest-of.ts";

/** What a test says of a package beside its records. */
export type LandChanges = Partial<Omit<LandedPackageOptions, "folder" | "tenant" | "seq" | "records">> &
  Readonly<{ manifest?: Partial<Manifest> }>;

/** Lands one package behind those that are there; its seq. */
export async function landRecords(
  store: ObjectStore,
  place: StreamPlace,
  records: readonly string[],
  { manifest = {}, ...changes }: LandChanges = {},
): Promise<number> {
  const head = await readHead(store, place);
  const seq = (head?.manifest.seq ?? 0) + 1;
  const runId = newRunId();
  const folder = await mkdtemp(join(tmpdir(), "leat-land-"));
  try {
    const compression = changes.compression ?? "zstd";
    const pack = await landPackage({ ...changes, compression, folder, tenant: place.tenant, seq, records });
    const parts = [];
    for (const [index, { entry, path }] of pack.parts.entries()) {
      const ending = { none: "", zstd: ".zst", gzip: ".gz" }[compression];
      const name = `part-${String(index + 1).padStart(5, "0")}.ndjson${ending}`;
      const key = fileKey(place, { area: "landing", seq, runId, name });
      const bytes = await readFile(path);
      await store.create(key, bytes);
      parts.push({ ...entry, key, crc32c: crc32cOf(bytes) });
    }
    const wasData = head?.manifest.kind === "data";
    await appendManifest(
      store,
      manifestOf(seq, {
        ...place,
        runId,
        kind: "data",
        previousDataSeq: head === undefined ? 0 : wasData ? head.manifest.seq : head.manifest.previousDataSeq,
        parts,
        columns: pack.columns,
        tenantColumn: pack.tenantColumn,
        partitionColumn: pack.partitionColumn,
        counts: { ...manifestOf(1).counts, received: records.length, landed: records.length },
        ...manifest,
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return seq;
}
