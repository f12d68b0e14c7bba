/** Where a scanner keeps its tables: in arrays of its own, or in a memory that it shares with a faster reader. */

/**
 * Gives a table for at least so many entries. The content of one handed out before may stay in it or not: who grows a
 * table copies it, and clears what must be clear.
 */
type Reserve<Table> = (length: number) => Table;

export type ScanMemory = Readonly<{
  bytes: Reserve<Buffer>;
  nodes: Reserve<Int32Array>;
  words: Reserve<Int32Array>;
  slots: Reserve<Int32Array>;
  kinds: Reserve<Int32Array>;
  intDigits: Reserve<Int32Array>;
  scales: Reserve<Int32Array>;
  exact: Reserve<Uint8Array>;
  starts: Reserve<Int32Array>;
  ends: Reserve<Int32Array>;
  problems: Reserve<Uint8Array>;
  fieldStarts: Reserve<Int32Array>;
  fieldEnds: Reserve<Int32Array>;
}>;

const integers = (length: number): Int32Array => new Int32Array(length);
const octets = (length: number): Uint8Array => new Uint8Array(length);

export const plainMemory: ScanMemory = {
  bytes: (length) => Buffer.allocUnsafeSlow(length), // Not from Node's shared pool: a batch hands it out.
  nodes: integers,
  words: integers,
  slots: integers,
  kinds: integers,
  intDigits: integers,
  scales: integers,
  exact: octets,
  starts: integers,
  ends: integers,
  problems: octets,
  fieldStarts: integers,
  fieldEnds: integers,
};
