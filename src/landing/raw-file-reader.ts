/** Raw files of the landing, checked against what their manifest says. */
import { createHash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { RawFileEntry } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { readChecked } from "./part-reader.ts";

/**
 * A raw file's bytes, whose size, CRC32C and SHA-256 are compared when the last one has been read.
 *
 * @throws {@link LeatError} `PART_MISSING`; `PART_CORRUPT` after the last byte, or before when there are too many.
 */
export async function* readRawFile(store: ObjectStore, file: RawFileEntry): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of readChecked(store, file)) {
    hash.update(chunk);
    yield chunk;
  }
  const sha256 = hash.digest("hex");
  if (sha256 === file.sha256) return;
  throw new LeatError("PART_CORRUPT", {
    message: `The landed file ${file.key} has SHA-256 ${sha256}; its manifest says ${file.sha256}.`,
    details: { key: file.key, sha256, expectedSha256: file.sha256 },
  });
}
