/** Landed plants of many tenants, as an extract leaves them, written without one. */
import { crc32cOf } from "../src/landing/crc32c.ts";
import { appendManifest } from "../src/landing/log.ts";
import { fileKey, partName } from "../src/landing/names.ts";
import { compressFrame } from "../src/landing/zstd-frames.ts";
import { foldColumns } from "../src/model/column-kinds.ts";
import { newRunId, toTenantId } from "../src/model/ids.ts";
import type { PartEntry } from "../src/model/manifest.ts";
import type { ObjectStore } from "../src/ports/object-store.ts";
import { measureColumns } from "../src/testing/landed-package.ts";
import { manifestOf } from "../test/properties/manifest-of.ts";

/** Rows of a frame, and of a part: as a part of an extract has. */
const frameRows = 10_000;
const partRows = 100_000;

/** A plant as the partner sends it, in its n-th version. */
export function plantText(tenant: number, id: number, version: number): string {
  const weight = `${(id * 7 + version) % 1000}.${String(id % 100).padStart(2, "0")}`;
  const day = String(1 + (version % 28)).padStart(2, "0");
  return (
    `{"id":${id},"modified":"2026-01-${day}T10:00:00Z","label":"T${tenant}-${id}","state":"${id % 3 === 0 ? "Harvested" : "Tracked"}",` +
    `"weight":${weight},"room":{"id":${id % 40},"name":"Room ${id % 40}"},"mail":"grower${id % 500}@example.org","isOnHold":${id % 11 === 0}}`
  );
}

/** Lands one package of a tenant: the given ids in that version. */
export async function landPlants(
  store: ObjectStore,
  tenant: number,
  ids: readonly number[],
  package_: Readonly<{ seq: number; version: number }>,
): Promise<void> {
  const { seq, version } = package_;
  const place = { source: "farm", stream: "plants", tenant: toTenantId(String(tenant)) };
  const runId = newRunId();
  const parts: PartEntry[] = [];
  for (let from = 0; from < ids.length; from += partRows) {
    const frames: Uint8Array[] = [];
    let plainBytes = 0;
    const ofPart = ids.slice(from, from + partRows);
    for (let at = 0; at < ofPart.length; at += frameRows) {
      const lines = ofPart.slice(at, at + frameRows).map((id, index) => {
        const own = `"tenant_id":"${tenant}","_leat_package":${seq},"_leat_row":${from + at + index},"_leat_extracted_at":"2026-02-01T00:00:00.000Z",`;
        return `{${own}${plantText(tenant, id, version).slice(1)}\n`;
      });
      const plain = Buffer.from(lines.join(""));
      plainBytes += plain.length;
      frames.push(await compressFrame(plain));
    }
    const bytes = Buffer.concat(frames);
    const key = fileKey(place, { area: "landing", seq, runId, name: partName(parts.length + 1, "zstd") });
    await store.create(key, bytes);
    parts.push({
      key,
      bytes: bytes.length,
      plainBytes,
      records: ofPart.length,
      crc32c: crc32cOf(bytes),
      exactColumns: [],
    });
  }
  // The first hundred show every kind of value.
  const columns = foldColumns([
    measureColumns(ids.slice(0, 100).map((id) => plantText(tenant, id, version))),
  ]);
  await appendManifest(
    store,
    manifestOf(seq, {
      ...place,
      runId,
      kind: "data",
      previousDataSeq: seq - 1,
      parts,
      columns,
      counts: { ...manifestOf(1).counts, received: ids.length, landed: ids.length },
    }),
  );
}
