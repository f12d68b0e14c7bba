/**
 * The way out of a version: every row that was selected is looked at once more, by other code than the query that has
 * selected it, before anything of it leaves this machine (PROTOCOL I13).
 */
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { openCrc32c } from "../landing/crc32c.ts";
import type { TenantId } from "../model/ids.ts";

const lineFeed = 0x0a;
const backslash = 0x5c;
const quote = 0x22;

/**
 * Reads lines of JSON whose first member is the tenant's column, with the value that stands in the row.
 *
 * @returns how many there are, and the file's checksum.
 * @throws AssertionError when one is not the tenant's: the query is wrong, and nothing has left yet.
 */
export async function checkLines(
  path: string,
  { column, tenant }: Readonly<{ column: string; tenant: TenantId }>,
): Promise<Readonly<{ records: number; crc32c: string }>> {
  const begin = Buffer.from(`{${JSON.stringify(column)}:`);
  const value = Buffer.from(JSON.stringify(tenant));
  const checksum = openCrc32c();
  let records = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    checksum.update(chunk);
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, at)) {
      assert(isOf(bytes, at, end), `row ${records + 1} of a tenant's rows is not of tenant ${tenant}`);
      records += 1;
      at = end + 1;
    }
    rest = Buffer.from(bytes.subarray(at)); // A copy: the chunk's memory is used again.
  }
  assert(rest.length === 0, "the last row ends");
  return { records, crc32c: checksum.digest() };

  function isOf(bytes: Buffer, from: number, end: number): boolean {
    const valueAt = from + begin.length;
    if (begin.compare(bytes, from, Math.min(valueAt, end)) !== 0) return false;
    const valueEnd = valueAt + value.length;
    const isSame = valueEnd < end && value.compare(bytes, valueAt, valueEnd) === 0;
    return isSame || readText(bytes.subarray(valueAt, end)) === tenant;
  }
}

/** The text that a JSON string at the beginning says; escapes can be written in several ways. */
function readText(bytes: Buffer): string | undefined {
  if (bytes[0] !== quote) return undefined;
  let at = 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return JSON.parse(bytes.toString("utf8", 0, at + 1)) as string; // It begins and ends with a quote.
}
