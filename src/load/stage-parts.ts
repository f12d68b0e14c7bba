/** Parts of a package on this machine's disk, checked against their manifest before anything is loaded from them. */
import { createWriteStream } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LeatError } from "../errors/leat-error.ts";
import type { Head } from "../landing/log.ts";
import { compressionOf } from "../landing/names.ts";
import { readChecked } from "../landing/part-reader.ts";
import type { PartEntry } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { PackageToLoad, StagedPart, Warehouse } from "../ports/warehouse.ts";

let copyNumber = 0;

/** Parts asked about at once. */
const checksMax = 16;

/** A part that could not be loaded, and its package. */
export type PartFault = Readonly<{ head: Head; error: LeatError }>;

/**
 * Checks parts that the warehouse reads in the store: that they are there, and that the store's own checksum is the
 * manifest's. What they hold is not read; whoever replaced an object by hand is found out all the same.
 *
 * @returns the first fault, in the order of packages.
 */
export async function checkInPlace(
  store: ObjectStore,
  warehouse: Pick<Warehouse, "readsInPlace">,
  heads: readonly Head[],
): Promise<PartFault | undefined> {
  const parts = heads.flatMap((head) => head.manifest.parts.map((entry) => ({ head, entry })));
  const readInPlace = parts.filter(
    ({ entry }) => warehouse.readsInPlace?.(store.url, compressionOf(entry.key)) === true,
  );
  for (let from = 0; from < readInPlace.length; from += checksMax) {
    const some = readInPlace.slice(from, from + checksMax);
    const found = await Promise.all(some.map(({ entry }) => store.checksum?.(entry.key) ?? null));
    for (const [at, { head, entry }] of some.entries()) {
      const error = partFault(store, entry, found[at]);
      if (error !== undefined) return { head, error };
    }
  }
  return undefined;
}

function partFault(
  store: ObjectStore,
  { key, crc32c }: PartEntry,
  found: string | null | undefined,
): LeatError | undefined {
  if (found === null || found === crc32c) return undefined;
  const details = { key };
  if (found === undefined)
    return new LeatError("PART_MISSING", {
      message: `The landed file ${key} is not in ${store.url}.`,
      details,
    });
  return new LeatError("PART_CORRUPT", {
    message: `The landed file ${key} has checksum ${found}; its manifest says ${crc32c}.`,
    details,
  });
}

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
