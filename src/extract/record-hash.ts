/** Hashes by which records are known again: 128 bits of SHA-256 (docs/decisions/006). */
import { createHash, hash } from "node:crypto";
import { hashBytes } from "./boundary.ts";

const digest = (bytes: Uint8Array) => hash("sha256", bytes, "buffer").subarray(0, hashBytes);

/** Values of volatile fields within a record: `[start, end)` pairs, in any order; `-1` where missing. */
export type Extents = readonly (readonly [start: number, end: number])[];

/** Hash of a record's bytes, the values of volatile fields left out. */
export function hashRecord(bytes: Uint8Array, start: number, end: number, volatile: Extents): Buffer {
  const present = volatile.filter(([from]) => from >= 0).sort((a, b) => a[0] - b[0]);
  if (present.length === 0) return digest(bytes.subarray(start, end));
  const state = createHash("sha256");
  let at = start;
  for (const [from, to] of present) {
    state.update(bytes.subarray(at, from));
    at = to;
  }
  return state.update(bytes.subarray(at, end)).digest().subarray(0, hashBytes);
}

/** Hash of a key: the partition and the raw tokens of the key fields, told apart by their lengths. */
export function hashKey(partition: string, bytes: Uint8Array, tokens: Extents): Buffer {
  // One field of a stream without partitions is by far the most common, and on the hot path.
  const only = tokens[0];
  if (partition === "" && tokens.length === 1 && only !== undefined) {
    return digest(bytes.subarray(only[0], only[1]));
  }
  const state = createHash("sha256").update(`${Buffer.byteLength(partition)}:${partition}`);
  for (const [from, to] of tokens) state.update(`${to - from}:`).update(bytes.subarray(from, to));
  return state.digest().subarray(0, hashBytes);
}

/** A fingerprint of a multiset of records: equal multisets give equal fingerprints in any order (I16). */
export class PassFingerprint {
  readonly #lanes = new Uint32Array(4);
  #count = 0;

  add(content: Uint8Array): void {
    const view = new DataView(content.buffer, content.byteOffset, hashBytes);
    for (let lane = 0; lane < 4; lane++) {
      this.#lanes[lane] = (this.#lanes[lane] ?? 0) + view.getUint32(lane * 4); // Modulo 2^32; a sum keeps twins.
    }
    this.#count++;
  }

  print(): string {
    return `${this.#count}:${[...this.#lanes].map((lane) => lane.toString(16)).join(",")}`;
  }
}
