/** Parts of a package on this machine's disk, checked against their manifest before anything is loaded from them. */
import { createWriteStream } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Head } from "../landing/log.ts";
import { compressionOf } from "../landing/names.ts";
import { readChecked } from "../landing/part-reader.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { PackageToLoad, StagedPart, Warehouse } from "../ports/warehouse.ts";

let copyNumber = 0;

/**
 * Stages one package: parts of a store on this disk are read where they are, others are copied, unless the warehouse
 * reads them in the store.
 */
export async function stagePackage(
  store: ObjectStore,
  warehouse: Pick<Warehouse, "readsInPlace">,
  openFolder: () => Promise<string>,
  head: Head,
  completesGeneration: boolean,
): Promise<PackageToLoad> {
  const { manifest, hash } = head;
  const parts: StagedPart[] = [];
  for (const entry of manifest.parts) {
    const compression = compressionOf(entry.key);
    if (warehouse.readsInPlace?.(store.url, compression) === true) {
      parts.push({ entry, path: `${store.url}/${entry.key}`, compression });
      continue;
    }
    const local = store.localPath(entry.key);
    if (local !== undefined) {
      for await (const _ of readChecked(store, entry)); // Reads all of it: a damaged file must not half load.
      parts.push({ entry, path: local, compression });
      continue;
    }
    // Keys of several tenants and runs end alike; the number tells them apart.
    const path = join(await openFolder(), `${copyNumber++}-${basename(entry.key)}`);
    await pipeline(Readable.from(readChecked(store, entry)), createWriteStream(path));
    parts.push({ entry, path, compression });
  }
  return {
    tenant: manifest.tenant,
    seq: manifest.seq,
    manifestHash: hash,
    landed: manifest.counts.landed,
    generation: manifest.generation.number,
    completesGeneration,
    columns: manifest.columns,
    parts,
    tenantColumn: manifest.tenantColumn,
    partitionColumn: manifest.partitionColumn,
  };
}
