/**
 * A large object on its way into a bucket, in bounded memory.
 *
 * `holding`: fewer bytes than a piece; commit writes them by one request. `sending`: an upload has begun, and what is held
 * is less than a piece and never nothing, since the last piece is what makes the object. `taken`: the bucket has said that
 * the key exists; bytes are no longer kept. `closed`: committed or aborted.
 */
import assert from "node:assert/strict";
import type { ObjectWriter } from "../../ports/object-store.ts";
import { type AttemptWorld, tryRepeatedly, withinTime } from "./attempts.ts";
import type { BucketClient, BucketUpload } from "./bucket-client.ts";
import { BucketFailure } from "./bucket-failure.ts";
import { addCrc32c } from "./crc32c.ts";
import { createObject, newMark, settle } from "./create-object.ts";
import { telling } from "./store-error.ts";

/** Time for a bucket to forget an upload, ms; one that is not forgotten expires by itself. */
const abortMsMax = 10_000;

type WriterState = "holding" | "sending" | "taken" | "closed";

/**
 * Begins an object; nothing is sent before a piece is full.
 *
 * @param shown - its key as people know it, for messages.
 */
export function openBucketWriter(
  client: BucketClient,
  world: AttemptWorld,
  key: string,
  shown: string,
): ObjectWriter {
  const action = { verb: "written", key: shown } as const;
  const mark = newMark();
  const held: Buffer[] = [];
  let heldBytes = 0;
  let checksum = 0;
  let state: WriterState = "holding";
  let upload: BucketUpload | undefined;
  /** What a write failed with: a piece is lost, and what follows it would be another object. */
  let failure: Readonly<{ error: unknown }> | undefined;

  const takePiece = (): Buffer => {
    const all = held.length === 1 ? held[0]! : Buffer.concat(held);
    const piece = all.subarray(0, client.pieceBytes);
    const rest = all.subarray(client.pieceBytes);
    held.length = 0;
    if (rest.byteLength > 0) held.push(rest);
    heldBytes = rest.byteLength;
    return piece;
  };

  const begin = async (): Promise<void> => {
    try {
      upload = await tryRepeatedly(world, (signal) => client.beginUpload(key, mark, signal));
      state = "sending";
    } catch (error) {
      // No write of ours can have made it: an upload that never began has no last piece.
      if (!(error instanceof BucketFailure) || error.kind !== "changed") throw error;
      state = "taken";
    }
  };

  const sendPieces = async (): Promise<void> => {
    while (heldBytes > client.pieceBytes) {
      if (state === "holding") await begin();
      const piece = takePiece();
      const current = upload;
      if (current !== undefined) await tryRepeatedly(world, (signal) => current.send(piece, signal));
      if (state === "taken") {
        held.length = 0;
        heldBytes = 0;
      }
    }
  };

  const finish = async (current: BucketUpload): Promise<"created" | "exists"> => {
    const piece = takePiece();
    const crc32c = checksum;
    const { outcome } = await settle(client, world, { key, mark, crc32c }, () =>
      tryRepeatedly(world, (signal) => current.finish(piece, crc32c, signal)),
    );
    return outcome;
  };

  const forget = async (): Promise<void> => {
    const current = upload;
    upload = undefined;
    await withinTime(abortMsMax, async (signal) => current?.abort(signal)).catch(() => {});
  };

  return {
    write: (chunk) =>
      telling(client, action, async () => {
        assert(state !== "closed", "nothing is written after commit or abort");
        if (failure !== undefined) throw failure.error;
        if (state === "taken") return;
        held.push(Buffer.from(chunk)); // A copy: the chunk is its owner's again.
        heldBytes += chunk.byteLength;
        checksum = addCrc32c(chunk, checksum);
        await sendPieces().catch((error: unknown) => {
          failure = { error };
          throw error;
        });
      }),
    commit: () =>
      telling(client, action, async () => {
        assert(state !== "closed", "a writer commits once");
        if (failure !== undefined) throw failure.error;
        const before = state;
        state = "closed";
        if (before === "taken") return "exists";
        if (upload === undefined)
          return (await createObject(client, world, key, Buffer.concat(held))).outcome;
        const outcome = await finish(upload);
        if (outcome === "exists") await forget();
        else upload = undefined;
        return outcome;
      }),
    async abort() {
      state = "closed";
      held.length = 0;
      heldBytes = 0;
      await forget();
    },
  };
}
