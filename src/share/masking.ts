/** Masks: what stands at the customer's for a value that is not shared. */
import { createHmac, hash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { TenantId } from "../model/ids.ts";

/** Characters of a salt: fewer can be tried out, and with them every telephone number there is. */
const saltLengthMin = 16;

/** Masks remembered of one share: columns that are masked repeat their values, and looking is quicker than hashing. */
const knownMasksMax = 20_000;

/** Longest value that is remembered, bytes: with all others, some 20 MB. */
const knownBytesMax = 500;

/** Makes the mask of bytes `start` to `end`: hexadecimal digits. */
export type Mask = (bytes: Buffer, start: number, end: number) => string;

/**
 * Makes the mask of one tenant's share: HMAC-SHA-256 with the salt's, 64 hex digits. Within the share equal values have
 * equal masks, whatever the table; those of another tenant or share have others, so that customers cannot compare.
 *
 * @throws {@link LeatError} `SHARE_SALT_WEAK`.
 */
export function openMask(
  salt: string,
  of: Readonly<{ share: string; tenant: TenantId; reference: string }>,
): Mask {
  if (salt.length < saltLengthMin)
    throw new LeatError("SHARE_SALT_WEAK", {
      message: `The secret ${of.reference} of the share "${of.share}" has fewer than ${saltLengthMin} characters.`,
      details: { share: of.share, tenant: of.tenant },
    });
  const key = createHmac("sha256", salt)
    .update(JSON.stringify([of.share, of.tenant]))
    .digest();
  const hashValue = openHmac(key);
  const known = new Map<string, string>();
  return (bytes, start, end) => {
    if (end - start > knownBytesMax) return hashValue(bytes, start, end);
    const text = bytes.toString("latin1", start, end);
    let made = known.get(text);
    if (made === undefined) {
      made = hashValue(bytes, start, end);
      if (known.size < knownMasksMax) known.set(text, made);
    }
    return made;
  };
}

/** Bytes of a block of SHA-256, to which HMAC fills its key, and of its hash. */
const blockBytes = 64;
const hashBytes = 32;

/**
 * HMAC-SHA-256 by two hashes in one call each: an `Hmac` object for each value costs eight times as much.
 *
 * @see RFC 2104, section 2: `H(key ^ opad, H(key ^ ipad, text))`, the key filled with zeros to a block.
 */
function openHmac(key: Uint8Array): Mask {
  const fill = (pad: number): Buffer =>
    Buffer.alloc(blockBytes, pad).map((byte, at) => byte ^ (key[at] ?? 0)) as Buffer;
  let inner = Buffer.concat([fill(0x36), Buffer.alloc(1024)]);
  const outer = Buffer.concat([fill(0x5c), Buffer.alloc(hashBytes)]);
  return (bytes, start, end) => {
    const length = blockBytes + end - start;
    if (length > inner.length)
      inner = Buffer.concat([inner.subarray(0, blockBytes), Buffer.alloc(2 * length)]);
    bytes.copy(inner, blockBytes, start, end);
    hash("sha256", inner.subarray(0, length), "buffer").copy(outer, blockBytes);
    return hash("sha256", outer, "hex");
  };
}
