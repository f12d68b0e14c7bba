/** Names of sources, streams and tenants as parts of object keys: injective, and alike on every disk and bucket. */
import { hash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";

/** Longer encoded names become a digest: with six of them a key stays within the 1024 bytes of every store. */
const encodedBytesMax = 100;

/**
 * Encodes a name into `[a-z0-9_~-]`: every other UTF-8 byte, capitals included, as `~hh`; what is longer than 100
 * bytes as `~~` and the SHA-256 of the name.
 *
 * Capitals are escaped since `A` and `a` meet on some disks, and composed and decomposed letters with them.
 *
 * @throws {@link LeatError} `NAME_INVALID` when the name is empty or holds a lone surrogate.
 */
export function encodeName(name: string): string {
  if (name === "" || !name.isWellFormed()) {
    throw new LeatError("NAME_INVALID", {
      message: name === "" ? "A name is empty." : `The name ${JSON.stringify(name)} is not well-formed text.`,
    });
  }
  let encoded = "";
  for (const byte of Buffer.from(name, "utf8")) {
    const char = String.fromCharCode(byte);
    encoded += /[a-z0-9_-]/.test(char) ? char : `~${byte.toString(16).padStart(2, "0")}`;
  }
  return encoded.length <= encodedBytesMax ? encoded : `~~${hash("sha256", name, "hex")}`;
}
