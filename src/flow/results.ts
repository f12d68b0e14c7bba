/** Results on their way into the ledger and back; large ones are objects of a store. */
import { hash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { StoredValue } from "../model/run-record.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { decodeValue, encodeValue } from "./encode-value.ts";

/** Bytes of a result within the ledger: a database row is no place for more. */
const inlineBytesMax = 256 * 1024;

/** Bytes of a result as an object: what is held in memory as text and as values at once. */
const objectBytesMax = 128 * 1024 * 1024;

/** Folder of large results in a store; below it one of each run. */
export const resultsPrefix = "flow-results/";

/**
 * Writes a value down.
 *
 * @param what - the subject of messages: `The result of task "fetch"`.
 * @throws LeatError `VALUE_NOT_SERIALISABLE`, `VALUE_TOO_LARGE`.
 */
export async function storeValue(
  store: ObjectStore | undefined,
  runId: string,
  value: unknown,
  what: string,
): Promise<StoredValue | null> {
  const json = encodeValue(value, what);
  if (json === null) return null;
  const bytes = Buffer.byteLength(json);
  if (bytes <= inlineBytesMax) return { json };
  if (store === undefined || bytes > objectBytesMax) {
    const bytesMax = store === undefined ? inlineBytesMax : objectBytesMax;
    throw new LeatError("VALUE_TOO_LARGE", {
      message: `${what} is ${bytes} bytes of JSON; ${bytesMax} are kept.`,
      details: { bytes, bytesMax },
    });
  }
  // Named by its content: written twice, it is the same object.
  const ref = `${resultsPrefix}${runId}/${hash("sha256", json)}.json`;
  await store.create(ref, Buffer.from(json));
  return { ref, bytes };
}

/**
 * Reads a value that was written down.
 *
 * @throws LeatError `PART_MISSING` when its object is gone.
 */
export async function loadValue(
  store: ObjectStore | undefined,
  stored: StoredValue | null,
): Promise<unknown> {
  if (stored === null) return undefined;
  if ("json" in stored) return decodeValue(stored.json);
  const body = await store?.read(stored.ref);
  if (body !== undefined) return decodeValue(Buffer.from(body).toString());
  throw new LeatError("PART_MISSING", {
    message: `The result ${stored.ref} is not ${store === undefined ? "reachable: no store is configured" : `in ${store.url}`}.`,
    hint: "Restore the object, or retry the run from the task that makes it.",
  });
}

/** Deletes the large results of runs that are gone. */
export async function deleteResults(store: ObjectStore, runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) {
    for await (const { key } of store.list(`${resultsPrefix}${runId}/`)) await store.delete(key);
  }
}
