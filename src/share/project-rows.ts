/**
 * Landed rows as they are shared: members that are kept, under their new names, some of them masked. Everything else is
 * left out, and what is kept unmasked goes through byte for byte (PROTOCOL I14: a cell depends on the landed text).
 */
import { LeatError } from "../errors/leat-error.ts";
import type { Mask } from "./masking.ts";

/** How one member of a row is shared. `mask`: makes another text of the value's own, or `undefined`: as it is. */
export type SharedMember = Readonly<{ name: string; mask: Mask | undefined }>;

/** Members that are shared, by their key. */
export type RowProjection = ReadonlyMap<string, SharedMember>;

const lineFeed = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closingBrace = 0x7d;

/**
 * A member as it is written: its name and colon, or nothing when it is left out. `isVerbatim`: that is how it was landed,
 * so that it goes over with its value in one piece, and with its neighbours that do.
 */
type KnownKey = Readonly<{
  written: Buffer;
  member: SharedMember | undefined;
  intro: Buffer;
  isVerbatim: boolean;
}>;

/** Distinct spellings of keys that are remembered; an API that uses objects as maps has thousands. */
const knownKeysMax = 10_000;

/**
 * Projects rows.
 *
 * @param chunks - landed NDJSON, cut anywhere. Each line is an object that the scanner has found valid.
 * @returns chunks of whole lines, as many as there were.
 * @throws {@link LeatError} `PART_CORRUPT` where a line is no such object.
 */
export async function* projectRows(
  chunks: AsyncIterable<Uint8Array>,
  projection: RowProjection,
): AsyncIterable<Uint8Array> {
  const projector = new RowProjector(projection);
  let held: Uint8Array[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) yield projector.run(Buffer.concat([...held, chunk.subarray(0, end)]));
    // A copy: whoever made the chunk may use its memory again.
    const rest = new Uint8Array(chunk.subarray(end));
    held = end > 0 ? [rest] : [...held, rest];
  }
  const last = Buffer.concat(held);
  if (last.length > 0) yield projector.run(Buffer.concat([last, Buffer.of(lineFeed)]));
}

class RowProjector {
  readonly #projection: RowProjection;
  readonly #known = new Map<string, KnownKey>();
  /** Which key stood last at each place: rows of a stream nearly always name them in the same order. */
  readonly #order: KnownKey[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #out: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(projection: RowProjection) {
    this.#projection = projection;
  }

  /** Whole lines, each with its line feed, which ends every loop. */
  run(bytes: Buffer): Uint8Array {
    this.#bytes = bytes;
    this.#out = Buffer.allocUnsafe(bytes.length + 1024);
    this.#at = 0;
    for (let at = 0; at < bytes.length; ) at = this.#projectLine(at);
    return this.#out.subarray(0, this.#at);
  }

  /** One line; returns where the next begins. */
  #projectLine(start: number): number {
    const bytes = this.#bytes;
    let at = this.#skipBlanks(start);
    if (bytes[at] === lineFeed) return at + 1; // An empty line is no row.
    at = this.#skipBlanks(this.#expect(at, 0x7b));
    this.#writeByte(0x7b);
    let isFirst = true;
    // Members that go over as they stand, one after another: they are copied when something else comes.
    let [from, to] = [at, at];
    for (let place = 0; bytes[at] !== closingBrace; place += 1) {
      this.#expect(at, quote);
      const keyStart = at;
      const keyEnd = this.#skipString(at);
      const { member, intro, isVerbatim } = this.#readKey(at, keyEnd, place);
      at = this.#skipBlanks(this.#expect(this.#skipBlanks(keyEnd), 0x3a));
      const valueEnd = this.#skipValue(at);
      if (member !== undefined) {
        const isPlain = isVerbatim && at === keyEnd + 1;
        if (isPlain && to > from && keyStart === to + 1)
          to = valueEnd; // Behind the comma.
        else {
          this.#copy(bytes, from, to);
          if (!isFirst) this.#writeByte(comma);
          isFirst = false;
          from = keyStart;
          to = isPlain ? valueEnd : keyStart;
          if (!isPlain) {
            this.#copy(intro, 0, intro.length);
            this.#writeValue(member, at, valueEnd);
          }
        }
      }
      at = this.#skipBlanks(valueEnd);
      if (bytes[at] === comma) at = this.#skipBlanks(at + 1);
      else if (bytes[at] !== closingBrace) throw noRow(at);
    }
    this.#copy(bytes, from, to);
    this.#writeByte(closingBrace);
    this.#writeByte(lineFeed);
    return this.#expect(this.#skipBlanks(at + 1), lineFeed);
  }

  #readKey(start: number, end: number, place: number): KnownKey {
    const expected = this.#order[place];
    if (expected !== undefined && this.#isWritten(expected.written, start, end)) return expected;
    const spelled = this.#bytes.toString("utf8", start, end);
    let known = this.#known.get(spelled);
    if (known === undefined) {
      const member = this.#projection.get(JSON.parse(spelled) as string); // A valid string in quotes.
      const intro = member === undefined ? "" : `${JSON.stringify(member.name)}:`;
      known = {
        written: Buffer.from(this.#bytes.subarray(start, end)),
        member,
        intro: Buffer.from(intro),
        isVerbatim: member !== undefined && member.mask === undefined && intro === `${spelled}:`,
      };
      if (this.#known.size < knownKeysMax) this.#known.set(spelled, known);
    }
    this.#order[place] = known;
    return known;
  }

  /** Byte by byte: a key is short, and there are many of them. */
  #isWritten(written: Buffer, start: number, end: number): boolean {
    if (written.length !== end - start) return false;
    const bytes = this.#bytes;
    for (let at = 0; at < written.length; at += 1) if (written[at] !== bytes[start + at]) return false;
    return true;
  }

  #writeValue({ mask }: SharedMember, start: number, end: number): void {
    const isNull = this.#bytes[start] === 0x6e; // `null` is the only value that begins so.
    if (mask === undefined || isNull) {
      this.#copy(this.#bytes, start, end);
      return;
    }
    this.#writeByte(quote);
    this.#writeHex(maskValue(mask, this.#bytes, start, end));
    this.#writeByte(quote);
  }

  #skipValue(start: number): number {
    const bytes = this.#bytes;
    const first = bytes[start]!;
    if (first === quote) return this.#skipString(start);
    let at = start;
    if (first !== 0x7b && first !== 0x5b) {
      while (bytes[at]! > 0x20 && bytes[at] !== comma && bytes[at] !== closingBrace) at += 1;
      if (at === start) throw noRow(at);
      return at;
    }
    let depth = 0;
    do {
      const c = bytes[at]!;
      if (c === lineFeed) throw noRow(at);
      if (c === quote) {
        at = this.#skipString(at);
        continue;
      }
      if (c === 0x7b || c === 0x5b) depth += 1;
      else if (c === closingBrace || c === 0x5d) depth -= 1;
      at += 1;
    } while (depth > 0);
    return at;
  }

  /** From the opening quote to behind the closing one. */
  #skipString(start: number): number {
    const bytes = this.#bytes;
    for (let at = start + 1; ; at += 1) {
      const c = bytes[at]!;
      if (c === quote) return at + 1;
      if (c === backslash) at += 1;
      if (bytes[at] === lineFeed) throw noRow(at);
    }
  }

  #skipBlanks(start: number): number {
    let at = start;
    while (this.#bytes[at] === 0x20 || this.#bytes[at] === 0x09 || this.#bytes[at] === 0x0d) at += 1;
    return at;
  }

  /** Behind the byte that must stand there. */
  #expect(at: number, byte: number): number {
    if (this.#bytes[at] !== byte) throw noRow(at);
    return at + 1;
  }

  /** A mask: digits alone, which need no escapes. */
  #writeHex(text: string): void {
    this.#reserve(text.length);
    this.#at += this.#out.write(text, this.#at, "latin1");
  }

  #writeByte(byte: number): void {
    this.#reserve(1);
    this.#out[this.#at] = byte;
    this.#at += 1;
  }

  #copy(from: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#reserve(end - start);
    this.#at += from.copy(this.#out, this.#at, start, end);
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#out.length) return;
    const wider = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#at + count));
    this.#out.copy(wider, 0, 0, this.#at);
    this.#out = wider;
  }
}

/** What is masked is the text: of a string what it says, so that its escapes do not matter; else the JSON as it stands. */
function maskValue(mask: Mask, bytes: Buffer, start: number, end: number): string {
  if (bytes[start] !== quote) return mask(bytes, start, end);
  let hasEscape = false;
  for (let at = start; at < end && !hasEscape; at += 1) hasEscape = bytes[at] === backslash;
  if (!hasEscape) return mask(bytes, start + 1, end - 1);
  const said = Buffer.from(JSON.parse(bytes.toString("utf8", start, end)) as string, "utf8"); // A valid string in quotes.
  return mask(said, 0, said.length);
}

function noRow(at: number): LeatError {
  return new LeatError("PART_CORRUPT", {
    message: `A landed row is no JSON object, at byte ${at} of its block.`,
  });
}
