/** Which kind a string without escapes is. The same rules as `src/scan/string-kind.ts`, which says why. */
import { byteAt, isDigit } from "./byte-at";
import { dateBit, textBit, timestampBit, timestampTzBit } from "./constants";

const datedBytesMax: i32 = 66;
const offsetMinutesMax: i32 = 18 * 60;
/** Where `YYYY-MM-DD` has digits, as bits; and `YYYY-MM-DD?hh:mm`. */
const dateDigits: i32 = 0b11_0110_1111;
const minuteDigits: i32 = 0b1101_1011_0110_1111;

/** Two bits a month, days beyond 28: from January at the lowest bits. */
const daysBeyond28: i32 = 0b11_10_11_10_11_11_10_11_10_11_01_11;

/** The kind of the text at `[start, end)`. Up to 16 bytes behind its end are looked at. */
export function dateKind(start: i32, end: i32): i32 {
  const length = end - start;
  if (length < 10 || length > datedBytesMax) return textBit;
  const values = i8x16.sub(v128.load(start), i8x16.splat(0x30));
  const digits: i32 = i8x16.bitmask(i8x16.lt_u(values, i8x16.splat(10)));
  if ((digits & dateDigits) != dateDigits) return textBit;
  if (byteAt(start + 4) != 0x2d || byteAt(start + 7) != 0x2d) return textBit;
  const year = twoDigits(start) * 100 + twoDigits(start + 2);
  const month = twoDigits(start + 5);
  const day = twoDigits(start + 8);
  if (year == 0 || month < 1 || month > 12 || day < 1) return textBit;
  if (day > 28 + ((daysBeyond28 >> ((month - 1) << 1)) & 3)) return textBit;
  if (month == 2 && day == 29 && !((year & 3) == 0 && (year % 100 != 0 || year % 400 == 0))) return textBit;
  if (length == 10) return dateBit;

  const separator = byteAt(start + 10);
  if (separator != 0x54 && separator != 0x20) return textBit;
  if (length < 16 || (digits & minuteDigits) != minuteDigits || byteAt(start + 13) != 0x3a) return textBit;
  const hour = twoDigits(start + 11);
  const minute = twoDigits(start + 14);
  if (hour > 23 || minute > 59) return textBit;
  if (length == 16) return timestampBit;
  if (length < 19 || byteAt(start + 16) != 0x3a || !areTwoDigits(start + 17)) return textBit;
  if (twoDigits(start + 17) > 59) return textBit;

  let at = start + 19;
  if (at < end && byteAt(at) == 0x2e) {
    const from = at + 1;
    for (at = from; at < end && isDigit(byteAt(at)); at++) {
      if (at - from >= 6 && byteAt(at) != 0x30) return textBit;
    }
    if (at == from) return textBit;
  }
  if (at == end) return timestampBit;
  if (end - at == 1 && byteAt(at) == 0x5a) return timestampTzBit;
  return zonedKind(at, end, hour * 60 + minute, year, month * 100 + day);
}

/** A timestamp whose offset stands at `[at, end)`. */
function zonedKind(at: i32, end: i32, minutesOfDay: i32, year: i32, monthDay: i32): i32 {
  const sign = byteAt(at);
  if (sign != 0x2b && sign != 0x2d) return textBit;
  const length = end - at;
  if (length < 3 || !areTwoDigits(at + 1)) return textBit;
  let offset = twoDigits(at + 1) * 60;
  if (length != 3) {
    const minutesAt = length == 6 && byteAt(at + 3) == 0x3a ? at + 4 : at + 3;
    if (minutesAt + 2 != end || !areTwoDigits(minutesAt)) return textBit;
    const minutes = twoDigits(minutesAt);
    if (minutes > 59) return textBit;
    offset += minutes;
  }
  if (offset > offsetMinutesMax) return textBit;
  const utc = sign == 0x2d ? minutesOfDay + offset : minutesOfDay - offset;
  const isInRange = utc < 0 ? year > 1 || monthDay > 101 : utc < 24 * 60 || year < 9999 || monthDay < 1231;
  return isInRange ? timestampTzBit : textBit;
}

@inline
function twoDigits(at: i32): i32 {
  return byteAt(at) * 10 + byteAt(at + 1) - 0x30 * 11;
}

@inline
function areTwoDigits(at: i32): bool {
  return isDigit(byteAt(at)) && isDigit(byteAt(at + 1));
}
