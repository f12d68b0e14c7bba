/**
 * **page cursor** where the next page begins: opaque, bound to a version and a query, and sealed, so that one that was
 * changed is told from one that is valid. A version never changes, so that the number of the last row is all there is to
 * remember, whatever the order.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { shortVersionLength } from "./dataset-view.ts";
import { Problem } from "./problem.ts";

/** What a cursor says. `at`: the last row of the page before, or for groups how many there were. */
export type PageCursor = Readonly<{ version: string; query: string; at: number }>;

/** Bytes of its parts: version and query by the first 8 of their hashes. */
const sizes = { version: shortVersionLength / 2, query: 8, at: 4, seal: 12 } as const;
const plainBytes = sizes.version + sizes.query + sizes.at;

/** Names a query: whatever must be equal on every page. */
export function hashQuery(parts: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(parts))
    .digest("hex")
    .slice(0, sizes.query * 2);
}

export function sealCursor({ version, query, at }: PageCursor, key: Buffer): string {
  const plain = Buffer.alloc(plainBytes);
  plain.write(version, 0, "hex");
  plain.write(query, sizes.version, "hex");
  plain.writeUInt32BE(at, sizes.version + sizes.query);
  return Buffer.concat([plain, sealOf(plain, key)]).toString("base64url");
}

/** @throws Problem `invalid-cursor` when it was not sealed with this key. */
export function openCursor(text: string, key: Buffer): PageCursor {
  const bytes = Buffer.from(text.slice(0, 100), "base64url");
  const plain = bytes.subarray(0, plainBytes);
  const isSealed =
    bytes.length === plainBytes + sizes.seal &&
    bytes.toString("base64url") === text &&
    timingSafeEqual(bytes.subarray(plainBytes), sealOf(plain, key));
  if (!isSealed)
    throw new Problem("invalid-cursor", {
      detail: "The cursor was changed, or is not one of this API. Take `next` of the page before as it is.",
      parameter: "cursor",
      value: text,
    });
  return {
    version: plain.toString("hex", 0, sizes.version),
    query: plain.toString("hex", sizes.version, sizes.version + sizes.query),
    at: plain.readUInt32BE(sizes.version + sizes.query),
  };
}

function sealOf(plain: Buffer, key: Buffer): Buffer {
  return createHmac("sha256", key).update(plain).digest().subarray(0, sizes.seal);
}

/** A cursor that belongs to the query it came with. */
export function checkCursor(cursor: PageCursor, query: string): void {
  if (cursor.query === query) return;
  throw new Problem("invalid-cursor", {
    detail: "The cursor belongs to another query: repeat the filters and the order of the first page.",
    parameter: "cursor",
  });
}
