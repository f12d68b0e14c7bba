/** Lookup tables and character codes of JSON text, shared by everything that reads it byte by byte. */

/**
 * 1 where a string cannot simply go on: quote, backslash, control characters and bytes beyond ASCII. A zero byte is
 * among them, which is why a zero behind the last byte of a buffer ends every loop without a test of the position.
 */
export const isStringSpecial: Uint8Array = table(
  (byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c || byte >= 0x80,
);

/** 1 for the characters that may follow a backslash, `u` apart. */
export const isSimpleEscape: Uint8Array = table((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));

/** 1 for the bytes that end a number or literal. */
export const isTokenEnd: Uint8Array = table(
  (byte) => byte <= 0x20 || ',:"[]{}'.includes(String.fromCharCode(byte)),
);

/** Value of a hexadecimal digit, 255 for any other byte. */
export const hexValues: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** `\uXXXX`'s four digits at `at`: their value, or `-1 - i` where the i-th is none. */
export function readHex4(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i += 1) {
    const digit = hexValues[bytes[at + i]!]!;
    if (digit === 255) return -1 - i;
    value = (value << 4) | digit;
  }
  return value;
}

/** Whether a byte is JSON's white space. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Least and greatest second byte of a UTF-8 sequence by its first; length 0: no sequence begins so (RFC 3629). */
export function utf8Length(first: number): number {
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

/** Least second byte after `first`: shuts out overlong forms. */
export function utf8SecondMin(first: number): number {
  return first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
}

/** Greatest second byte after `first`: shuts out surrogates and what lies beyond U+10FFFF. */
export function utf8SecondMax(first: number): number {
  return first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
}

function table(isMember: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isMember(byte) ? 1 : 0));
}
