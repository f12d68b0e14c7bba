/** What a run starts from and hands on: partitions with their cursors, and the boundary (PROTOCOL I5, I8). */
import { LeatError } from "../errors/leat-error.ts";
import type { CursorValue } from "../model/cursor.ts";
import type { PartitionState } from "../model/manifest.ts";
import { Boundary } from "./boundary.ts";

/** A partition that has never been read. */
export const freshPartition: PartitionState = {
  cursor: undefined,
  scannedTo: undefined,
  next: undefined,
  since: undefined,
};

/** The only partition of a stream that has none. */
export const mainPartition = "";

/** State of all partitions of a stream and tenant. Partitions keep their number for ever: the boundary refers to it. */
export type RunState = Readonly<{
  partitions: ReadonlyMap<string, Readonly<{ number: number; state: PartitionState }>>;
  boundary: Boundary;
}>;

/** The state before the first run. */
export const freshState = (): RunState => ({ partitions: new Map(), boundary: new Boundary() });

type StoredPartition = readonly [key: string, cursor: string, scannedTo: string, next: string, since: string];

const printValue = (value: CursorValue | undefined) => (value === undefined ? "" : value.toString());
const parseValue = (text: string): CursorValue | undefined => (text === "" ? undefined : BigInt(text));

/**
 * Bytes of a state: a line of JSON (format, number of partitions), a line of JSON for each partition in the order of
 * its number, then the boundary's entries (see `Boundary.encode`).
 */
export function encodeState(state: RunState): Buffer {
  const lines = [JSON.stringify({ format: 1, partitions: state.partitions.size })];
  for (const [key, { state: at }] of [...state.partitions].sort((a, b) => a[1].number - b[1].number)) {
    const stored: StoredPartition = [
      key,
      printValue(at.cursor),
      printValue(at.scannedTo),
      printValue(at.next),
      printValue(at.since),
    ];
    lines.push(JSON.stringify(stored));
  }
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n`, "utf8"), state.boundary.encode()]);
}

/**
 * The reverse of {@link encodeState}.
 *
 * @throws {@link LeatError} `MANIFEST_INVALID` when the bytes are of another format.
 */
export function decodeState(bytes: Buffer, where: string): RunState {
  try {
    let at = 0;
    const line = (): unknown => {
      const end = bytes.indexOf(10, at);
      const text = bytes.toString("utf8", at, end);
      at = end + 1;
      return JSON.parse(text);
    };
    const header = line() as { format: number; partitions: number }; // Checked on the next line.
    if (typeof header.partitions !== "number") throw new Error("it is of a stream of files");
    if (header.format !== 1) throw new Error(`its format is ${header.format}, this leat reads 1`);
    const partitions = new Map<string, { number: number; state: PartitionState }>();
    for (let number = 0; number < header.partitions; number++) {
      const [key, cursor, scannedTo, next, since] = line() as StoredPartition; // BigInt() refuses anything else.
      const state = {
        cursor: parseValue(cursor),
        scannedTo: parseValue(scannedTo),
        next: parseValue(next),
        since: parseValue(since),
      };
      partitions.set(key, { number, state });
    }
    return { partitions, boundary: Boundary.decode(bytes.subarray(at)) };
  } catch (cause) {
    throw new LeatError("MANIFEST_INVALID", {
      message: `The state in ${where} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    });
  }
}

/** For people: the one partition, or of several the least `next` and the greatest cursor. */
export function summarizePartitions(state: RunState): PartitionState {
  const all = [...state.partitions.values()].map((partition) => partition.state);
  const first = all[0];
  if (first === undefined) return freshPartition;
  const least = (values: (CursorValue | undefined)[]) =>
    values.reduce((a, b) => (a === undefined || b === undefined ? undefined : a < b ? a : b));
  const greatest = (values: (CursorValue | undefined)[]) =>
    values.reduce((a, b) => (a === undefined ? b : b === undefined || a > b ? a : b));
  return {
    cursor: greatest(all.map((one) => one.cursor)),
    scannedTo: least(all.map((one) => one.scannedTo)),
    next: least(all.map((one) => one.next)),
    since: least(all.map((one) => one.since)),
  };
}
