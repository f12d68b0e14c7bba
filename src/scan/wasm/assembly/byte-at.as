/** Single bytes as numbers of 32 bits: arithmetic of the compiler's own `u8` would wrap around at 256. */

@inline
export function byteAt(at: i32): i32 {
  return load<u8>(at);
}

@inline
export function isDigit(byte: i32): bool {
  return <u32>(byte - 0x30) < 10;
}
