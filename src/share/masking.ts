/** Masks: what stands at the customer's for a value that is not shared. */
import { createHmac } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { TenantId } from "../model/ids.ts";

/** Characters of a salt: fewer can be tried out, and with them every telephone number there is. */
const saltLengthMin = 16;

/** Masks remembered of one share: columns that are masked repeat their values, and a mask takes 13 µs. */
const knownMasksMax = 20_000;

/**
 * Makes the mask of one tenant's share: SHA-256 with the salt as key, 64 hex digits. Within the share equal values have
 * equal masks, whatever the table; those of another tenant or share have others, so that customers cannot compare.
 *
 * @throws {@link LeatError} `SHARE_SALT_WEAK`.
 */
export function openMask(
  salt: string,
  of: Readonly<{ share: string; tenant: TenantId; reference: string }>,
): (value: Uint8Array) => string {
  if (salt.length < saltLengthMin)
    throw new LeatError("SHARE_SALT_WEAK", {
      message: `The secret ${of.reference} of the share "${of.share}" has fewer than ${saltLengthMin} characters.`,
      details: { share: of.share, tenant: of.tenant },
    });
  const key = createHmac("sha256", salt)
    .update(JSON.stringify([of.share, of.tenant]))
    .digest();
  const known = new Map<string, string>();
  return (value) => {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
    let made = known.get(text);
    if (made === undefined) {
      made = createHmac("sha256", key).update(value).digest("hex");
      if (known.size < knownMasksMax) known.set(text, made);
    }
    return made;
  };
}
