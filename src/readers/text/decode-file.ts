/** Text files as text: the encoding found by its mark or declared, and never guessed. */
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { LeatError } from "../../errors/leat-error.ts";
import { type TextEncoding, textEncodings } from "../../model/text-form.ts";
import { decodeWindows1252 } from "./windows-1252.ts";

/** Bytes read at once. */
const chunkBytes = 256 * 1024;

const marks: readonly (readonly [string, TextEncoding])[] = [
  ["\xef\xbb\xbf", "utf-8"],
  ["\xff\xfe", "utf-16le"],
  ["\xfe\xff", "utf-16be"],
];

/**
 * Reads a file as text, piece by piece, its byte order mark left out.
 *
 * @param declared - `undefined`: UTF-8, or what the file's mark says. A mark goes before a declaration.
 * @throws LeatError `FILE_ENCODING` with the offset of the first byte that is no text, `FILE_UNREADABLE`.
 */
export async function* decodeFile(
  path: string,
  name: string,
  declared: TextEncoding | undefined,
): AsyncGenerator<string, void, undefined> {
  let decoder: ChunkDecoder | undefined;
  let offset = 0;
  const stream = createReadStream(path, { highWaterMark: chunkBytes });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let bytes = chunk;
      if (decoder === undefined) {
        const mark = marks.find(([text]) => bytes.toString("latin1", 0, 3).startsWith(text));
        decoder = openDecoder(mark?.[1] ?? declared ?? "utf-8");
        if (mark !== undefined) bytes = bytes.subarray(mark[0].length);
        offset = chunk.length - bytes.length;
      }
      const piece = decoder(bytes, false);
      if (typeof piece === "number") throw notText(name, declared, offset + piece, bytes[piece] ?? 0);
      offset += bytes.length;
      if (piece !== "") yield piece;
    }
    const rest = decoder?.(Buffer.alloc(0), true) ?? "";
    if (typeof rest === "number") throw notText(name, declared, offset + rest, undefined);
    if (rest !== "") yield rest;
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new LeatError("FILE_UNREADABLE", {
      message: `${name}: The file cannot be read.`,
      details: { file: name },
      cause: error,
    });
  }
}

/** Text of a chunk, or where in it the first byte is that is none: before 0 for one kept from the chunk before. */
type ChunkDecoder = (bytes: Buffer, isLast: boolean) => string | number;

function openDecoder(encoding: TextEncoding): ChunkDecoder {
  if (encoding === "windows-1252") {
    return (bytes) => {
      const text = decodeWindows1252(bytes);
      const bad = text.indexOf("\ufffd"); // One character a byte.
      return bad < 0 ? text : bad;
    };
  }
  return encoding === "utf-8" ? openUtf8() : openUtf16(encoding);
}

function openUtf8(): ChunkDecoder {
  let kept: Buffer = Buffer.alloc(0);
  return (bytes, isLast) => {
    const before = kept.length;
    const all = before === 0 ? bytes : Buffer.concat([kept, bytes]);
    const whole = isLast ? all.length : wholeCharacters(all);
    kept = all.subarray(whole);
    const text = all.subarray(0, whole);
    return isUtf8(text) ? text.toString("utf8") : firstBadByte(text) - before;
  };
}

function openUtf16(encoding: "utf-16le" | "utf-16be"): ChunkDecoder {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (bytes, isLast) => {
    try {
      return decoder.decode(bytes, { stream: !isLast });
    } catch {
      return 0; // The decoder does not say where; the chunk begins at most 256 KiB before.
    }
  };
}

/** Bytes up to a character that is cut off at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < length ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

/** Halves what holds the fault: the beginning of valid UTF-8 cut between characters is valid. */
function firstBadByte(bytes: Buffer): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const cut = good + wholeCharacters(bytes.subarray(good, middle));
    if (cut > good && isUtf8(bytes.subarray(good, cut))) good = cut;
    else if (cut > good) bad = cut;
    else break; // A character longer than the half.
  }
  for (let at = good; at < bad; at++) {
    const end = at + 4;
    for (let to = at + 1; to <= end; to++) {
      if (to > bytes.length) return at;
      if (isUtf8(bytes.subarray(at, to))) {
        at = to - 1;
        break;
      }
      if (to === end) return at;
    }
  }
  return good;
}

function notText(
  name: string,
  declared: TextEncoding | undefined,
  offset: number,
  byte: number | undefined,
): LeatError {
  const seen =
    byte === undefined ? "The file ends" : `Byte ${offset} (0x${byte.toString(16).padStart(2, "0")}) is`;
  return new LeatError("FILE_ENCODING", {
    message: `${name}: ${seen} no text in ${declared ?? "UTF-8"}.`,
    hint:
      declared === undefined
        ? `Declare the encoding, e.g. \`encoding: "windows-1252"\`; known are ${textEncodings.join(", ")}.`
        : `Declare another encoding; known are ${textEncodings.join(", ")}.`,
    details: { file: name, offset, encoding: declared ?? "utf-8" },
  });
}
