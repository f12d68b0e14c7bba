/**
 * Reads records without a problem, many at a call. The grammar is that of `src/scan/record-validator.ts`, whose tables
 * it shares; whatever is rare is asked of the host, and whatever is wrong is left to the plain scanner.
 */
import { byteAt } from "./byte-at";
import {
  arrayBit,
  batchRecordsMax,
  booleanBit,
  bytesAt,
  callAt,
  callCount,
  callStamp,
  callStop,
  endsAt,
  fieldsAt,
  nodeCanonical,
  nodeColumn,
  nodeElements,
  nodeField,
  nodeFirst,
  nodeLength,
  nodeNext,
  nodeReserved,
  nodesAt,
  nodeStamp,
  nullBit,
  objectBit,
  problemsAt,
  stackAt,
  stackDepthMax,
  stackEntrySize,
  startsAt,
  stopCut,
  stopFull,
  stopOdd,
  stopRest,
} from "./constants";
import { isKeyAt, lookUp } from "./key-lookup";
import { finishString, hasEscape, skipPlain } from "./string-reader";
import { clearNotes, fail, failedAt, hasNotes, readNumber, readString, see } from "./value-reader";

// Positions given to the host count from the first byte of the buffer; here they are addresses.
/** The id of a key that is not known yet, below zero when the tables have outgrown this memory. */
@external("host", "findKey")
declare function findKey(start: i32, end: i32, parent: i32, hasEscape: bool): i32;
/** The id of the node for the elements of arrays found at a node. */
@external("host", "elementsOf")
declare function elementsOf(node: i32): i32;
/** Takes over what the record read last has noted. */
@external("host", "commit")
declare function commit(): void;

/** Keys that may be missing in a row before a key is looked up. */
const guessesMax: i32 = 4;

let fieldCount: i32 = 0;
let fieldEndsAt: i32 = 0;
let isLineBound: bool = false;
let depthMax: i32 = 0;
let recordBytesMax: i32 = 0;

/** Says once what the options are. */
export function configure(fields: i32, isLines: bool, deepest: i32, largest: i32): void {
  fieldCount = fields;
  fieldEndsAt = fieldsAt + 4 * batchRecordsMax * fields;
  isLineBound = isLines;
  depthMax = min(deepest, stackDepthMax);
  recordBytesMax = largest;
}

/**
 * Adds records to the batch, from `from` on; behind the last byte, at `limit`, stands a zero.
 *
 * @param isBehind - `from` is behind a record, where a comma (a line's end) must come first.
 * @returns where to go on; -1 less it, when that is behind a record.
 */
export function readRecords(from: i32, limit: i32, isBehind: bool): i32 {
  const end = bytesAt + limit;
  let p = bytesAt + from;
  let count = load<i32>(callAt + 4 * callCount);
  let stop = stopRest;
  let isBetween = isBehind;
  while (true) {
    let c = byteAt(p);
    if (isBetween) {
      // In JSON a comma must come; a line is ended by its line feed.
      const separator = isLineBound ? 0x0a : 0x2c;
      while (isBlank(c) && c != separator) c = byteAt(++p);
      if (c != separator) break;
      isBetween = false;
      c = byteAt(++p);
    }
    while (isBlank(c)) c = byteAt(++p);
    if (c != 0x7b) break;
    if (count == batchRecordsMax) {
      stop = stopFull;
      break;
    }
    clearFields(count);
    const next = readObject(p, count * fieldCount);
    if (next == 0 || next - p > recordBytesMax) {
      stop = next == 0 && failedAt >= end ? stopCut : stopOdd;
      break;
    }
    if (hasNotes) commit();
    store<i32>(startsAt + (count << 2), p - bytesAt);
    store<i32>(endsAt + (count << 2), next - bytesAt);
    store<u8>(problemsAt + count, 0);
    count += 1;
    p = next;
    isBetween = true;
  }
  store<i32>(callAt + 4 * callCount, count);
  store<i32>(callAt + 4 * callStop, stop);
  return isBetween ? -1 - (p - bytesAt) : p - bytesAt;
}

/** Reads the one record at `from` into the fields of the batch's next; returns the position behind it, or -1. */
export function readRecord(from: i32): i32 {
  const count = load<i32>(callAt + 4 * callCount);
  clearFields(count);
  const next = readObject(bytesAt + from, count * fieldCount);
  return next == 0 ? -1 : next - bytesAt;
}

@inline
function clearFields(count: i32): void {
  const first = (count * fieldCount) << 2;
  for (let i = 0; i < fieldCount << 2; i += 4) {
    store<i32>(fieldsAt + first + i, -1);
    store<i32>(fieldEndsAt + first + i, -1);
  }
}

/** Behind the object at `start`, or 0. `firstField`: index of the record's first place in the fields. */
function readObject(start: i32, firstField: i32): i32 {
  let depth = 1;
  let isArray = false;
  let parent = 0;
  let last = 0;
  let stamp = load<i32>(callAt + 4 * callStamp) - 1;
  let key = 0;
  let column = 0;
  let p = start + 1;
  clearNotes();
  store<i32>(callAt + 4 * callStamp, stamp);

  let c = byteAt(p);
  if (c <= 0x20) {
    p = skipBlanks(p);
    c = byteAt(p);
  }
  if (c == 0x7d) return p + 1;

  while (true) {
    if (!isArray) {
      if (c != 0x22) return fail(p);
      p += 1;
      // The root is its own address 0, so a key's link is told from the object's first by `last`.
      const link = nodesAt + (last == 0 ? parent + 4 * nodeFirst : last + 4 * nodeNext);
      key = 0;
      let guess = load<i32>(link) << 2;
      for (let i = 0; guess != 0 && i < guessesMax; i++) {
        if (isKeyAt(guess, p)) {
          key = guess;
          p += load<i32>(guess, nodesAt + 4 * nodeLength);
          break;
        }
        guess = load<i32>(guess, nodesAt + 4 * nodeNext) << 2;
      }
      if (key == 0) {
        let q = skipPlain(p);
        let isEscaped = false;
        if (byteAt(q) != 0x22) {
          q = finishString(q);
          if (q < 0) return fail(-1 - q);
          isEscaped = hasEscape;
        }
        key = lookUp(p, q, parent >> 2);
        if (key == 0) {
          const id = findKey(p - bytesAt, q - bytesAt, parent >> 2, isEscaped);
          if (id < 0) return fail(p);
          key = id << 2;
        }
        store<i32>(link, key >> 2);
        p = q + 1;
      }
      last = key;
      const canonical = load<i32>(key, nodesAt + 4 * nodeCanonical) << 2;
      if (load<i32>(canonical, nodesAt + 4 * nodeStamp) == stamp) return fail(p - 1);
      store<i32>(canonical, stamp, nodesAt + 4 * nodeStamp);
      if (depth == 1) {
        column = load<i32>(key, nodesAt + 4 * nodeColumn);
        if (load<i32>(key, nodesAt + 4 * nodeReserved) != 0) return fail(p - 1);
      }
      c = byteAt(p);
      if (c <= 0x20) {
        p = skipBlanks(p);
        c = byteAt(p);
      }
      if (c != 0x3a) return fail(p);
      p += 1;
      c = byteAt(p);
      if (c <= 0x20) {
        p = skipBlanks(p);
        c = byteAt(p);
      }
    } else key = parent;

    const valueStart = p;
    let isWhole = true;
    if (c == 0x22) {
      p = readString(p + 1, depth, column);
      if (p == 0) return 0;
    } else if (c == 0x7b || c == 0x5b) {
      if (depth == 1) see(column, c == 0x7b ? objectBit : arrayBit);
      if (depth == depthMax) return fail(p);
      const entry = stackAt + depth * (4 * stackEntrySize);
      store<i32>(entry, i32(isArray));
      store<i32>(entry, parent, 4);
      store<i32>(entry, last, 8);
      store<i32>(entry, stamp, 12);
      store<i32>(entry, valueStart, 16);
      depth += 1;
      isArray = c == 0x5b;
      if (isArray) {
        parent = load<i32>(key, nodesAt + 4 * nodeElements) << 2;
        if (parent == 0) {
          const id = elementsOf(key >> 2);
          if (id < 0) return fail(p);
          parent = id << 2;
        }
      } else {
        parent = key;
        stamp = load<i32>(callAt + 4 * callStamp) - 1;
        store<i32>(callAt + 4 * callStamp, stamp);
      }
      last = 0;
      p += 1;
      c = byteAt(p);
      if (c <= 0x20) {
        p = skipBlanks(p);
        c = byteAt(p);
      }
      if (c != (isArray ? 0x5d : 0x7d)) continue;
      isWhole = false;
    } else if (c == 0x74 || c == 0x66 || c == 0x6e) {
      const word = load<u32>(c == 0x66 ? p + 1 : p);
      if (word != (c == 0x74 ? 0x65757274 : c == 0x66 ? 0x65736c61 : 0x6c6c756e)) return fail(p + 4);
      p += c == 0x66 ? 5 : 4;
      if (depth == 1) see(column, c == 0x6e ? nullBit : booleanBit);
    } else {
      p = readNumber(p, c, depth, column);
      if (p == 0) return 0;
    }
    if (isWhole) setField(key, firstField, valueStart, p);

    // Behind a value, or at the bracket that closes an empty one.
    while (true) {
      c = byteAt(p);
      if (c <= 0x20) {
        p = skipBlanks(p);
        c = byteAt(p);
      }
      if (c == 0x2c) break;
      if (c != (isArray ? 0x5d : 0x7d)) return fail(p);
      p += 1;
      depth -= 1;
      if (depth == 0) return p;
      const entry = stackAt + depth * (4 * stackEntrySize);
      isArray = load<i32>(entry) != 0;
      parent = load<i32>(entry, 4);
      last = load<i32>(entry, 8);
      stamp = load<i32>(entry, 12);
      if (!isArray) setField(last, firstField, load<i32>(entry, 16), p);
    }
    p += 1;
    c = byteAt(p);
    if (c <= 0x20) {
      p = skipBlanks(p);
      c = byteAt(p);
    }
  }
}

@inline
function setField(key: i32, firstField: i32, start: i32, end: i32): void {
  const field = load<i32>(key, nodesAt + 4 * nodeField);
  if (field < 0) return;
  const place = (firstField + field) << 2;
  store<i32>(fieldsAt + place, start - bytesAt);
  store<i32>(fieldEndsAt + place, end - bytesAt);
}

/** Behind white space, CR and LF made blanks (they would end the line of NDJSON); a line's end is not passed. */
function skipBlanks(from: i32): i32 {
  let p = from;
  while (true) {
    const c = byteAt(p);
    if (c == 0x20) {
      // Indentation comes in long runs.
      while (v128.all_true<i8>(i8x16.eq(v128.load(p), i8x16.splat(0x20)))) p += 16;
      while (byteAt(p) == 0x20) p += 1;
      continue;
    }
    if (c == 0x0a || c == 0x0d) {
      if (c == 0x0a && isLineBound) return p;
      store<u8>(p, 0x20);
    } else if (c != 0x09) return p;
    p += 1;
  }
}

@inline
function isBlank(c: i32): bool {
  return c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09;
}
