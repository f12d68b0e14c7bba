/** An object's bytes in order, gone on with where a connection broke, and checked at the end. */
import { type AttemptWorld, attemptsMax, tryRepeatedly, waitBefore, withinTime } from "./attempts.ts";
import type { BucketClient, OpenedObject } from "./bucket-client.ts";
import { BucketFailure, isPassing } from "./bucket-failure.ts";
import { addCrc32c } from "./crc32c.ts";

/** Opens an object at its beginning, or `undefined` when there is none. */
export const openObject = (
  client: BucketClient,
  world: AttemptWorld,
  key: string,
): Promise<OpenedObject | undefined> =>
  tryRepeatedly(world, (signal) => client.open(key, { offset: 0, version: undefined }, signal));

/**
 * Reads all of an opened object. A connection that breaks is followed by a request for the rest of this very version.
 *
 * @throws BucketFailure `changed` when the object was replaced or deleted meanwhile; `transient` when its bytes are not
 *   those that the bucket has a checksum of, or connections break without bringing any.
 */
export async function* readOpened(
  client: BucketClient,
  world: AttemptWorld,
  key: string,
  first: OpenedObject,
): AsyncGenerator<Uint8Array> {
  let opened = first;
  let offset = 0;
  let checksum = 0;
  let failures = 0; // In a row, without a byte between them.
  try {
    while (offset < first.bytes) {
      const iterator = opened.body[Symbol.asyncIterator]();
      let failure: BucketFailure | undefined;
      for (;;) {
        const next = await withinTime(world.requestMsMax, () => iterator.next()).catch((error: unknown) => {
          if (!(error instanceof BucketFailure)) throw error;
          failure = error;
          return undefined;
        });
        if (next === undefined || next.done === true) break;
        if (next.value.byteLength === 0) continue;
        failures = 0;
        offset += next.value.byteLength;
        checksum = addCrc32c(next.value, checksum);
        yield next.value;
      }
      opened.cancel();
      if (failure !== undefined && !isPassing(failure)) throw failure;
      if (offset >= first.bytes) break;
      failure ??= new BucketFailure("transient", `the answer ended after ${offset} of ${first.bytes} bytes`);
      failures++;
      if (failures >= attemptsMax || world.signal.aborted) throw failure;
      await waitBefore(world, failures, failure);
      opened = await reopen(client, world, key, { offset, version: first.version });
    }
  } finally {
    opened.cancel();
  }
  const isWhole = offset === first.bytes && (first.crc32c ?? checksum >>> 0) === checksum >>> 0;
  if (!isWhole) throw new BucketFailure("transient", "the bytes that arrived are not those of the object");
}

async function reopen(
  client: BucketClient,
  world: AttemptWorld,
  key: string,
  from: Readonly<{ offset: number; version: string }>,
): Promise<OpenedObject> {
  const opened = await tryRepeatedly(world, (signal) => client.open(key, from, signal));
  if (opened !== undefined) return opened;
  throw new BucketFailure("changed", "it was deleted or replaced while it was being read");
}

/** All bytes of a small object, or `undefined` when there is none; begun again when it changes under the reader. */
export async function readWhole(
  client: BucketClient,
  world: AttemptWorld,
  key: string,
): Promise<Readonly<{ body: Uint8Array; version: string }> | undefined> {
  for (let attempt = 1; ; attempt++) {
    const opened = await openObject(client, world, key);
    if (opened === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of readOpened(client, world, key, opened)) chunks.push(chunk);
      return { body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), version: opened.version };
    } catch (error) {
      const mayHelp =
        error instanceof BucketFailure && (error.kind === "changed" || error.kind === "transient");
      if (!mayHelp || attempt >= readsMax || world.signal.aborted) throw error;
    }
  }
}

/** A hint is replaced once a run; twice during three reads of it does not happen. */
const readsMax = 3;
