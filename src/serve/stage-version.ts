/** Copies a version's parts to a folder of the server's own, and refuses what is not what the manifest says. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest, DatasetPart } from "../model/dataset-manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/**
 * Stages all parts, each checked against its size and SHA-256. What is served are these copies: nobody collects or
 * changes them meanwhile.
 *
 * @returns their paths, in order, each as soon as it is there.
 * @throws LeatError `PART_MISSING`, `PART_CORRUPT`.
 */
export async function* stageParts(
  store: ObjectStore,
  manifest: DatasetManifest,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const [at, part] of manifest.parts.entries()) {
    const path = join(folder, `part-${String(at + 1).padStart(5, "0")}.parquet`);
    await stagePart(store, manifest.dataset, part, path, signal);
    yield path;
  }
}

async function stagePart(
  store: ObjectStore,
  dataset: string,
  part: DatasetPart,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const chunks = await store.readStream(part.key);
  if (chunks === undefined)
    throw new LeatError("PART_MISSING", {
      message: `The file ${part.key} of the dataset ${dataset} is not there.`,
      details: { dataset, key: part.key },
    });
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(path, "w");
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      bytes += chunk.byteLength;
      if (bytes > part.bytes) break; // Whatever follows is not part of it.
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  const found = hash.digest("hex");
  if (bytes === part.bytes && found === part.sha256) return;
  throw new LeatError("PART_CORRUPT", {
    message: `The file ${part.key} of the dataset ${dataset} is not what its manifest says: ${bytes === part.bytes ? `its SHA-256 is ${found}, not ${part.sha256}` : `it does not have ${part.bytes} bytes`}.`,
    details: { dataset, key: part.key },
  });
}
