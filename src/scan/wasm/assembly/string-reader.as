/** Strings: their end, sixteen bytes at a time, and strict reading of what is not plain ASCII. */
import { byteAt } from "./byte-at";

/** Whether the string read last by `finishString` has an escape. */
export let hasEscape: bool = false;

/** The first byte at or behind `from` where a string cannot simply go on: quote, backslash, control, beyond ASCII. */
@inline
export function skipPlain(from: i32): i32 {
  let at = from;
  while (true) {
    const block = v128.load(at);
    // Compared as signed numbers, bytes beyond ASCII are below zero and so below a blank, as control characters are.
    const special = v128.or(
      v128.or(i8x16.eq(block, i8x16.splat(0x22)), i8x16.eq(block, i8x16.splat(0x5c))),
      i8x16.lt_s(block, i8x16.splat(0x20)),
    );
    const bits: i32 = i8x16.bitmask(special);
    if (bits != 0) return at + ctz(bits);
    at += 16;
  }
}

/** From the first special byte of a string to its closing quote; or, below zero, -1 less the position of the fault. */
export function finishString(from: i32): i32 {
  let at = from;
  hasEscape = false;
  while (true) {
    const c: i32 = byteAt(at);
    if (c == 0x22) return at;
    if (c == 0x5c) {
      hasEscape = true;
      at = skipEscape(at);
      if (at < 0) return at;
    } else if (c < 0x20) return -1 - at;
    else {
      at = skipSequence(at, c);
      if (at < 0) return at;
      if (load<i8>(at) < 0) continue; // In most scripts another follows.
    }
    at = skipPlain(at);
  }
}

/** Behind an escape, both halves of a surrogate pair. */
function skipEscape(at: i32): i32 {
  const c: i32 = byteAt(at + 1);
  switch (c) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 2;
    case 0x75:
      break;
    default:
      return -2 - at;
  }
  const unit = readHex4(at + 2);
  if (unit < 0) return unit;
  if (unit < 0xd800 || unit > 0xdfff) return at + 6;
  if (unit > 0xdbff) return -6 - at;
  if (byteAt(at + 6) != 0x5c) return -7 - at;
  if (byteAt(at + 7) != 0x75) return -8 - at;
  const low = readHex4(at + 8);
  if (low < 0) return low;
  return low >= 0xdc00 && low <= 0xdfff ? at + 12 : -12 - at;
}

/** The value of four hexadecimal digits; or -1 less the position of what is none. */
function readHex4(at: i32): i32 {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const c: u32 = byteAt(at + i);
    const letter = (c | 0x20) - 0x61;
    if (c - 0x30 < 10) value = (value << 4) | (c - 0x30);
    else if (letter < 6) value = (value << 4) | (letter + 10);
    else return -1 - at - i;
  }
  return value;
}

/** Behind a sequence of UTF-8 (RFC 3629) that begins with `c`. */
function skipSequence(at: i32, c: i32): i32 {
  if (c < 0xc2 || c > 0xf4) return -1 - at;
  const second: i32 = byteAt(at + 1);
  const least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
  const greatest = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > greatest) return -2 - at;
  if (c < 0xe0) return at + 2;
  if ((byteAt(at + 2) & 0xc0) != 0x80) return -3 - at;
  if (c < 0xf0) return at + 3;
  return (byteAt(at + 3) & 0xc0) == 0x80 ? at + 4 : -4 - at;
}
