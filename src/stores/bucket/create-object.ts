/**
 * Create-if-absent over a network that loses answers (PROTOCOL, assumption 1).
 *
 * Every write carries a mark of its own. When a bucket says that the object exists, or an answer is lost, the mark of the
 * object that is there tells whether it is ours: then our first try had succeeded.
 */
import { randomBytes } from "node:crypto";
import { type AttemptWorld, tryRepeatedly } from "./attempts.ts";
import type { BucketClient, StoredObject } from "./bucket-client.ts";
import { BucketFailure, isPassing } from "./bucket-failure.ts";
import { addCrc32c } from "./crc32c.ts";

/** What became of a create, and the version of what is there now. */
export type Created = Readonly<{ outcome: "created" | "exists"; version: string }>;

/** Names one write; 128 bits, so that no two ever meet. */
export const newMark = (): string => randomBytes(16).toString("hex");

/** Creates a small object by one request. */
export async function createObject(
  client: BucketClient,
  world: AttemptWorld,
  key: string,
  body: Uint8Array,
): Promise<Created> {
  const mark = newMark();
  const crc32c = addCrc32c(body, 0);
  const options = { condition: { kind: "absent" }, mark, crc32c } as const;
  return settle(client, world, { key, mark, crc32c }, () =>
    tryRepeatedly(world, async (signal) => {
      try {
        return await client.write(key, body, options, signal);
      } catch (error) {
        if (!(error instanceof BucketFailure) || error.kind !== "changed") throw error;
        const found = await client.stat(key, signal);
        // Deleted since it was in the way: the next try may create it.
        if (found === undefined) throw new BucketFailure("transient", "another object was there and is gone");
        return found;
      }
    }),
  );
}

/**
 * Judges a write by what is there afterwards.
 *
 * @param write - ends with the object that exists now, or fails.
 * @throws BucketFailure what `write` failed with, unless the object is there all the same.
 */
export async function settle(
  client: BucketClient,
  world: AttemptWorld,
  expected: Readonly<{ key: string; mark: string; crc32c: number }>,
  write: () => Promise<StoredObject>,
): Promise<Created> {
  const found = await write().catch((error: unknown) => resolve(client, world, expected, error));
  if (found.mark !== expected.mark) return { outcome: "exists", version: found.version };
  await checkStored(client, world, expected, found);
  return { outcome: "created", version: found.version };
}

/** After eight writes without an answer, a bucket that does not answer three questions either is away. */
const triesAfterFailure = 3;

/** Looks whether a write that failed took effect. */
async function resolve(
  client: BucketClient,
  world: AttemptWorld,
  { key, mark }: Readonly<{ key: string; mark: string }>,
  error: unknown,
): Promise<StoredObject> {
  if (!(error instanceof BucketFailure)) throw error;
  const isOpen = isPassing(error) || error.kind === "gone" || error.kind === "changed";
  if (!isOpen) throw error;
  // Asked also when nothing else may be tried again: the answer may be worth a whole run.
  const found = await tryRepeatedly(
    world,
    (signal) => client.stat(key, signal),
    isPassing(error) ? triesAfterFailure : undefined,
  ).catch(() => undefined);
  if (found === undefined || (found.mark !== mark && isPassing(error))) throw error;
  return found;
}

/** Our object must hold our bytes. One that does not is taken away again, before anything names it. */
async function checkStored(
  client: BucketClient,
  world: AttemptWorld,
  expected: Readonly<{ key: string; crc32c: number }>,
  found: StoredObject,
): Promise<void> {
  const isOurs = (stored: StoredObject | undefined): boolean =>
    stored?.crc32c === undefined || stored.crc32c === expected.crc32c >>> 0;
  if (isOurs(found)) return;
  // Asked once more, since what is damaged may be the answer.
  if (isOurs(await tryRepeatedly(world, (signal) => client.stat(expected.key, signal)))) return;
  await tryRepeatedly(world, (signal) => client.delete(expected.key, found.version, signal));
  throw new BucketFailure(
    "transient",
    "the bytes that arrived are not those that were sent; they were deleted",
  );
}
