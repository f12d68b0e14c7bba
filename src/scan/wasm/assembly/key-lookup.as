/** Keys by their bytes, in the tables of `src/scan/key-trie.ts`: a node's address here is four times its id there. */
import { byteAt } from "./byte-at";
import { callAt, callSlotLimit, nodeKey, nodeLength, nodeParent, nodesAt, slotsAt, wordsAt } from "./constants";

/** Whether the bytes at `at` are the key of a node, closing quote included. */
@inline
export function isKeyAt(node: i32, at: i32): bool {
  let rest = load<i32>(node, nodesAt + 4 * nodeLength);
  let stored = wordsAt + (load<i32>(node, nodesAt + 4 * nodeKey) << 2);
  let p = at;
  while (rest > 16) {
    if (equalBits(p, stored) != 0xffff) return false;
    p += 16;
    stored += 16;
    rest -= 16;
  }
  const wanted = (1 << rest) - 1;
  return (equalBits(p, stored) & wanted) == wanted;
}

@inline
function equalBits(a: i32, b: i32): i32 {
  return i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b)));
}

/** The node of the key at `[start, end)` below the node with the id `parent`, or 0. */
export function lookUp(start: i32, end: i32, parent: i32): i32 {
  const limit = load<i32>(callAt + 4 * callSlotLimit);
  const length = end - start + 1;
  let slot = hashOf(start, end, parent) & limit;
  while (true) {
    const id = load<i32>(slotsAt + (slot << 2));
    if (id == 0) return 0;
    const node = id << 2;
    const isSamePlace = load<i32>(node, nodesAt + 4 * nodeParent) == parent;
    if (isSamePlace && load<i32>(node, nodesAt + 4 * nodeLength) == length && isKeyAt(node, start)) return node;
    slot = (slot + 1) & limit;
  }
}

function hashOf(start: i32, end: i32, parent: i32): i32 {
  let hash = (parent ^ 0x2f0b4c47) * 0x5bd1e995;
  for (let at = start; at < end; at++) hash = (hash ^ byteAt(at)) * 0x0100_0193;
  const mixed = (hash ^ (hash >>> 15)) * 0x2c1b_3c6d;
  return mixed ^ (mixed >>> 13);
}
