/**
 * The keys of records, each stored once by its place, so that a key that comes again is only compared.
 *
 * Records of one stream have the same keys in the same order. Each key remembers which key came after it; the reader
 * compares the next bytes with that one, four at a time, and nearly always needs neither a look-up nor a check.
 */
import type { ColumnFold } from "./column-fold.ts";
import type { ScanMemory } from "./scan-memory.ts";

/** Offsets into a node, 16 integers wide: one line of a processor's cache. */
export const nodeKey = 0; // First word of the key's bytes, closing quote included.
export const nodeWords = 1; // Whole words of it,
export const nodeMask = 2; // and which bits of the last one count.
export const nodeLength = 3; // Bytes, closing quote included.
export const nodeParent = 4;
export const nodeCanonical = 5; // The node of the same decoded key: `"id"` and `"\u0069d"` share one.
export const nodeStamp = 6; // Number of the object that had this key last (of the canonical node).
export const nodeFirst = 7; // Key expected first in an object found here; 0: none.
export const nodeNext = 8; // Key expected after this one; 0: none.
export const nodeElements = 9; // Node of the elements of an array found here; 0: none yet.
export const nodeColumn = 10; // Index of the top-level column that this is or is part of.
export const nodeField = 11; // Index of the wanted field that this is; -1: none.
export const nodeWanted = 12; // Place in the tree of wanted paths; -1: none at or below.
export const nodeReserved = 13; // 1: no record may have it.
const nodeSize = 16;

/** Nodes and words of keys kept from record to record; beyond, all is forgotten and learnt again. */
const nodesKept = 65_536;
const wordsKept = 1_048_576;
const nodesAtFirst = nodeSize * 256;
const wordsAtFirst = 2048;
const slotsAtFirst = 1024;
const masks = [0, 0xff, 0xffff, 0xffffff];

type Wanted = { field: number; children: Map<string, number> };

/** What the trie must know of the keys that it meets. */
export type KeyOptions = Readonly<{ fields: readonly string[]; reserved: readonly string[] }>;

export class KeyTrie {
  /** All nodes; a node's id is its offset here. The root is 0. Replaced when it grows. */
  nodes: Int32Array;
  /** The bytes of all keys as little-endian words. Replaced when it grows. */
  words: Int32Array;
  #nodeEnd = nodeSize;
  #wordEnd = 0;
  /** Open addressing: ids of nodes, 0 where free. */
  slots: Int32Array;
  #count = 0;
  #columns: ColumnFold;
  #memory: ScanMemory;
  #wanted: Wanted[] = [{ field: -1, children: new Map() }];
  #reserved: ReadonlySet<string>;

  constructor(options: KeyOptions, columns: ColumnFold, memory: ScanMemory) {
    this.#memory = memory;
    this.nodes = memory.nodes(nodesAtFirst);
    this.words = memory.words(wordsAtFirst);
    this.slots = memory.slots(slotsAtFirst);
    this.#columns = columns;
    this.#reserved = new Set(options.reserved.map(asciiLower));
    for (const [field, path] of options.fields.entries()) this.#want(field, path.split("."));
    this.forget();
  }

  /** The node of the key whose bytes, quotes apart, are `[start, end)`, below `parent`; made when it is new. */
  find(bytes: Uint8Array, start: number, end: number, parent: number, hasEscape: boolean): number {
    const found = this.#lookUp(bytes, start, end, parent);
    return found !== 0 ? found : this.#add(bytes, start, end, parent, hasEscape);
  }

  /** The node that stands for every element of an array found at `node`. */
  elementsOf(node: number): number {
    const known = this.nodes[node + nodeElements]!;
    if (known !== 0) return known;
    const made = this.#newNode(node);
    this.nodes[made + nodeColumn] = this.nodes[node + nodeColumn]!;
    this.nodes[made + nodeCanonical] = made;
    this.nodes[node + nodeElements] = made;
    return made;
  }

  /** Forgets everything learnt when it has become too much, or when stamps run out. Call between records only. */
  trim(stamp: number): boolean {
    const isSmall = this.#nodeEnd < nodesKept * nodeSize && this.#wordEnd < wordsKept;
    if (isSmall && stamp < 0x4000_0000) return false;
    this.forget();
    return true;
  }

  /** Forgets everything learnt. */
  forget(): void {
    this.nodes = this.#memory.nodes(nodesAtFirst);
    this.words = this.#memory.words(wordsAtFirst);
    this.slots = this.#memory.slots(slotsAtFirst);
    this.#nodeEnd = nodeSize;
    this.#wordEnd = 0;
    this.slots.fill(0);
    this.#count = 0;
    this.nodes.fill(0, 0, nodeSize);
    this.nodes[nodeField] = -1;
  }

  #want(field: number, path: readonly string[]): void {
    let at = 0;
    for (const key of path) {
      const { children } = this.#wanted[at]!;
      const known = children.get(key);
      at = known ?? this.#wanted.push({ field: -1, children: new Map() }) - 1;
      children.set(key, at);
    }
    // The scanner copies the extents of a path that is wanted twice.
    if (this.#wanted[at]!.field < 0) this.#wanted[at]!.field = field;
  }

  #lookUp(bytes: Uint8Array, start: number, end: number, parent: number): number {
    const limit = this.slots.length - 1;
    let slot = hashOf(bytes, start, end, parent) & limit;
    for (;;) {
      const node = this.slots[slot]!;
      if (node === 0) return 0;
      if (this.nodes[node + nodeParent] === parent && this.#isKey(node, bytes, start, end)) return node;
      slot = (slot + 1) & limit;
    }
  }

  #isKey(node: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.nodes[node + nodeLength] !== length + 1) return false;
    const first = this.nodes[node + nodeKey]!;
    for (let i = 0; i < length; i += 1) {
      if (((this.words[first + (i >> 2)]! >>> ((i & 3) << 3)) & 0xff) !== bytes[start + i]) return false;
    }
    return true;
  }

  #add(bytes: Uint8Array, start: number, end: number, parent: number, hasEscape: boolean): number {
    const node = this.#newNode(parent);
    this.#storeKey(node, bytes, start, end);
    this.#insert(node, hashOf(bytes, start, end, parent));
    let canonical = node;
    const wantedParent = this.nodes[parent + nodeWanted]!;
    let name: string | undefined;
    if (hasEscape) {
      name = decodeKey(bytes, start, end);
      canonical = this.#canonicalOf(name, parent);
    } else if (parent === 0 || wantedParent >= 0) name = utf8Text(bytes, start, end);
    this.nodes[node + nodeCanonical] = canonical;
    if (parent === 0) {
      this.nodes[node + nodeColumn] = this.#columns.indexOf(name!);
      this.nodes[node + nodeReserved] = this.#reserved.has(asciiLower(name!)) ? 1 : 0;
    } else this.nodes[node + nodeColumn] = this.nodes[parent + nodeColumn]!;
    const wanted = wantedParent >= 0 ? this.#wanted[wantedParent]!.children.get(name!) : undefined;
    this.nodes[node + nodeWanted] = wanted ?? -1;
    this.nodes[node + nodeField] = wanted === undefined ? -1 : this.#wanted[wanted]!.field;
    return node;
  }

  /**
   * The node that all spellings of an escaped key share. It is the node of the plain spelling, if there can be one: a
   * key with a quote, backslash or control character has none, and is kept below a parent that no key has.
   */
  #canonicalOf(name: string, parent: number): number {
    const plain = Buffer.from(name, "utf8");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what cannot be spelt without an escape.
    const hasPlain = !/["\\\u0000-\u001f]/.test(name);
    if (hasPlain) return this.find(plain, 0, plain.length, parent, false);
    const found = this.#lookUp(plain, 0, plain.length, ~parent);
    if (found !== 0) return found;
    const made = this.#newNode(~parent);
    this.#storeKey(made, plain, 0, plain.length);
    this.#insert(made, hashOf(plain, 0, plain.length, ~parent));
    this.nodes[made + nodeCanonical] = made;
    return made;
  }

  #newNode(parent: number): number {
    if (this.#nodeEnd + nodeSize > this.nodes.length)
      this.nodes = widened(this.nodes, this.#memory.nodes(this.nodes.length * 2));
    const node = this.#nodeEnd;
    this.#nodeEnd += nodeSize;
    this.nodes.fill(0, node, node + nodeSize);
    this.nodes[node + nodeParent] = parent;
    this.nodes[node + nodeField] = -1;
    this.nodes[node + nodeWanted] = -1;
    return node;
  }

  #storeKey(node: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start + 1;
    const count = (length + 3) >> 2;
    while (this.#wordEnd + count + 1 > this.words.length)
      this.words = widened(this.words, this.#memory.words(this.words.length * 2));
    const first = this.#wordEnd;
    this.#wordEnd += count;
    this.words.fill(0, first, first + count + 1);
    for (let i = 0; i < length; i += 1) {
      const byte = i === length - 1 ? 0x22 : bytes[start + i]!;
      this.words[first + (i >> 2)]! |= byte << ((i & 3) << 3);
    }
    this.nodes[node + nodeKey] = first;
    this.nodes[node + nodeWords] = length >> 2;
    this.nodes[node + nodeMask] = masks[length & 3]!;
    this.nodes[node + nodeLength] = length;
  }

  #insert(node: number, hash: number): void {
    this.#count += 1;
    if (this.#count * 2 > this.slots.length) this.#rehash();
    place(this.slots, node, hash);
  }

  #rehash(): void {
    const old = this.slots.slice(); // The wider table may lie in the same place.
    this.slots = this.#memory.slots(old.length * 2);
    this.slots.fill(0);
    for (const node of old) {
      if (node !== 0) place(this.slots, node, this.#hashOfNode(node));
    }
  }

  #hashOfNode(node: number): number {
    const length = this.nodes[node + nodeLength]! - 1;
    const first = this.nodes[node + nodeKey]!;
    let hash = hashSeed(this.nodes[node + nodeParent]!);
    for (let i = 0; i < length; i += 1) {
      hash = hashStep(hash, (this.words[first + (i >> 2)]! >>> ((i & 3) << 3)) & 0xff);
    }
    return hashEnd(hash);
  }
}

function place(slots: Int32Array, node: number, hash: number): void {
  const limit = slots.length - 1;
  let slot = hash & limit;
  while (slots[slot] !== 0) slot = (slot + 1) & limit;
  slots[slot] = node;
}

function hashOf(bytes: Uint8Array, start: number, end: number, parent: number): number {
  let hash = hashSeed(parent);
  for (let at = start; at < end; at += 1) hash = hashStep(hash, bytes[at]!);
  return hashEnd(hash);
}

function hashSeed(parent: number): number {
  return Math.imul(parent ^ 0x2f0b4c47, 0x5bd1e995);
}

function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x0100_0193);
}

/** The low bits of the steps above depend on the low bits of the bytes alone; this spreads the high ones. */
function hashEnd(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function widened(from: Int32Array, to: Int32Array): Int32Array {
  to.set(from);
  return to;
}

function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

/** A valid key with escapes. */
function decodeKey(bytes: Uint8Array, start: number, end: number): string {
  return JSON.parse(`"${utf8Text(bytes, start, end)}"`) as string; // A JSON string parses to a string.
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
