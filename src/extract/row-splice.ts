/**
 * Landed rows: leat's columns spliced in front of a record whose bytes stay as they came (DESIGN §3).
 *
 * `{"id":1}` → `{"tenant_id":"414","_leat_package":7,"_leat_row":0,"_leat_extracted_at":"…","id":1}`. Taking the
 * columns off again gives the record's bytes back, which is how a boundary is rebuilt from parts.
 */
import { leatColumns } from "../model/stream.ts";

const openBrace = 0x7b;
const closeBrace = 0x7d;
const comma = 0x2c;

/** The text before the row's number, and after it, up to where the record's own members begin. */
export type RowPrefix = Readonly<{
  head: Buffer;
  tail: Buffer /** Room a row takes beyond its record. */;
  bytesMax: number;
}>;

/** Makes the prefix of all rows of one package and partition. */
export function planRowPrefix(facts: {
  tenantColumn: string;
  tenant: string;
  seq: number;
  extractedAt: string;
  partition: Readonly<{ column: string; value: string }> | undefined;
}): RowPrefix {
  const text = JSON.stringify;
  const head = Buffer.from(
    `{${text(facts.tenantColumn)}:${text(facts.tenant)},"${leatColumns.package}":${facts.seq},"${leatColumns.row}":`,
  );
  const partition =
    facts.partition === undefined ? "" : `,${text(facts.partition.column)}:${text(facts.partition.value)}`;
  const tail = Buffer.from(`,"${leatColumns.extractedAt}":${text(facts.extractedAt)}${partition}`);
  return { head, tail, bytesMax: head.length + tail.length + rowDigitsMax + 2 };
}

const rowDigitsMax = 16;

/**
 * Writes a row and its line end.
 *
 * @param start - where the record begins in `bytes`, with its `{`; it ends before `end`, on one line.
 * @returns where the row ends in `target`.
 */
export function spliceRow(
  target: Buffer,
  at: number,
  prefix: RowPrefix,
  rowNumber: number,
  bytes: Buffer,
  start: number,
  end: number,
): number {
  let to = at;
  to += prefix.head.copy(target, to);
  to = writeDigits(target, to, rowNumber);
  to += prefix.tail.copy(target, to);
  if (hasMembers(bytes, start)) target[to++] = comma;
  to += bytes.copy(target, to, start + 1, end); // Without a view of them: one a record is garbage.
  target[to++] = 0x0a;
  return to;
}

function hasMembers(bytes: Uint8Array, start: number): boolean {
  let at = start + 1;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return bytes[at] !== closeBrace;
}

function writeDigits(target: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = value;
  for (let to = at + digits - 1; to >= at; to--) {
    target[to] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}

/**
 * Takes leat's columns off a landed row, in place.
 *
 * @param row - extent of the row in `bytes`; `prefixEnd` is where the value of the last spliced column ends.
 * @returns where the record begins: a `{` was put there.
 */
export function unspliceRow(bytes: Uint8Array, prefixEnd: number): number {
  // With members the comma goes; without, the last byte of the prefix makes room.
  const start = bytes[prefixEnd] === comma ? prefixEnd : prefixEnd - 1;
  bytes[start] = openBrace;
  return start;
}
