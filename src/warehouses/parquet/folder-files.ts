/** Files of a Parquet folder: written under names that have a hash of their bytes, and held against it. */
import { createHash } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { FolderFile } from "./folder-manifest.ts";

/** Whether a file is there, as it was written. */
export async function isWhole(store: ObjectStore, { key, bytes, sha256 }: FolderFile): Promise<boolean> {
  const chunks = await store.readStream(key);
  if (chunks === undefined) return false;
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > bytes) return false;
    hash.update(chunk);
  }
  return size === bytes && hash.digest("hex") === sha256;
}

/** Writes a file; one of its name that is not what its name says was spoilt by somebody, and is replaced. */
export async function writeWhole(
  store: ObjectStore,
  file: FolderFile,
  read: () => Promise<AsyncIterable<Uint8Array>>,
): Promise<void> {
  for (let tries = 1; tries <= 2; tries += 1) {
    const writer = await store.openWriter(file.key);
    try {
      for await (const chunk of await read()) await writer.write(chunk);
      if ((await writer.commit()) === "created") return;
    } catch (error) {
      await writer.abort();
      throw error;
    }
    if (await isWhole(store, file)) return;
    await store.delete(file.key);
  }
  throw new LeatError("STATE_CONFLICT", {
    message: `The file ${file.key} in ${store.url} is changed by somebody while it is written.`,
    hint: "Find out who else writes into this folder, then run again; nothing was committed.",
  });
}

/** Reads a file that a manifest names. */
export async function readWhole(store: ObjectStore, { key }: FolderFile): Promise<AsyncIterable<Uint8Array>> {
  const chunks = await store.readStream(key);
  if (chunks !== undefined) return chunks;
  throw new LeatError("PART_MISSING", {
    message: `The file ${key} is not in ${store.url} any more.`,
    hint: "Somebody has deleted it: run `leat share --full` for the share, which makes it again.",
  });
}
