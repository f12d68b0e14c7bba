/** The bytes of one file → an immutable object of the landing, or the reason why they are not taken. */
import { createHash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import { openCrc32c } from "../landing/crc32c.ts";
import type { RawFileEntry } from "../model/manifest.ts";
import type { ObjectStore, ObjectWriter } from "../ports/object-store.ts";
import type { FetchedFile } from "../ports/source.ts";
import { beginningBytes, endBytes, hasEnd, refuseBeginning, refuseEnd } from "./refuse-file.ts";

/** What became of a file's bytes. `known`: they are those of the newest version, and nothing was kept. */
export type LandedBytes =
  | Readonly<{ kind: "landed"; entry: RawFileEntry }>
  | Readonly<{ kind: "known"; bytes: number }>;

/** What is asked of a file's bytes. */
export type ByteBounds = Readonly<{
  name: string;
  bytesMax: number;
  /** SHA-256 of the newest version; `undefined`: anything is new. */
  knownSha256: string | undefined;
}>;

/**
 * Writes a file's bytes under a key of this run.
 *
 * @throws LeatError `FILE_REFUSED` with what is wrong with them as its message, retryable where a second fetch may help.
 */
export async function landFile(
  store: ObjectStore,
  key: string,
  fetched: FetchedFile & { status: "fetched" },
  bounds: ByteBounds,
): Promise<LandedBytes> {
  const { bytesMax, name } = bounds;
  if (fetched.bytes !== undefined && fetched.bytes > bytesMax) throw tooLarge(fetched.bytes, bytesMax);
  const sha256 = createHash("sha256");
  const checksum = openCrc32c();
  let beginning: Buffer = Buffer.alloc(0);
  let end: Buffer = Buffer.alloc(0);
  let bytes = 0;
  let writer: ObjectWriter | undefined;
  const write = async (chunk: Uint8Array): Promise<void> => {
    writer ??= await store.openWriter(key);
    await writer.write(chunk);
  };
  try {
    let held: Uint8Array[] | undefined = [];
    for await (const chunk of fetched.body) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw tooLarge(bytes, bytesMax);
      sha256.update(chunk);
      checksum.update(chunk);
      if (beginning.length < beginningBytes) {
        beginning = Buffer.concat([beginning, chunk.subarray(0, beginningBytes - beginning.length)]);
      }
      if (hasEnd(beginning)) end = lastBytes(end, chunk);
      if (held === undefined) {
        await write(chunk);
        continue;
      }
      held.push(Buffer.from(chunk));
      if (bytes < beginningBytes) continue;
      refuse(refuseBeginning(name, fetched.contentType, beginning));
      for (const piece of held) await write(piece);
      held = undefined;
    }
    if (held !== undefined) {
      refuse(refuseBeginning(name, fetched.contentType, beginning));
      for (const piece of held) await write(piece);
    }
    if (fetched.bytes !== undefined && fetched.bytes !== bytes) {
      refuse(`it has ${bytes} bytes, and ${fetched.bytes} were announced`, true);
    }
    refuse(refuseEnd(beginning, end), true);
    const hex = sha256.digest("hex");
    if (hex === bounds.knownSha256) {
      await writer?.abort();
      return { kind: "known", bytes };
    }
    await writer?.commit(); // Named for this run alone: what exists is our own, its answer lost.
    return { kind: "landed", entry: { key, bytes, crc32c: checksum.digest(), sha256: hex } };
  } catch (error) {
    await writer?.abort();
    throw error;
  } finally {
    fetched.discard();
  }
}

/** @param isCut - whether another fetch may bring all of it. */
function refuse(reason: string | undefined, isCut = false): void {
  if (reason === undefined) return;
  throw new LeatError("FILE_REFUSED", { message: reason, retryable: isCut });
}

function tooLarge(bytes: number, bytesMax: number): LeatError {
  return new LeatError("FILE_REFUSED", {
    message: `it has ${bytes} bytes or more, and \`fileBytesMax\` is ${bytesMax}`,
  });
}

/** The last bytes of what came so far, without copying large chunks whole. */
function lastBytes(before: Buffer, chunk: Uint8Array): Buffer {
  const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (view.length >= endBytes) return Buffer.from(view.subarray(view.length - endBytes));
  const joined = Buffer.concat([before, view]);
  return joined.length <= endBytes ? joined : Buffer.from(joined.subarray(joined.length - endBytes));
}
