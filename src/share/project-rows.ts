/**
 * Landed rows as they are shared: members that are kept, under their new names, some of them masked. Everything else is
 * left out, and what is kept unmasked goes through byte for byte (PROTOCOL I14: a cell depends on the landed text).
 */
import { LeatError } from "../errors/leat-error.ts";

/** How one member of a row is shared. `mask`: makes another text of the value's own, or `undefined`: as it is. */
export type SharedMember = Readonly<{ name: string; mask: ((value: Uint8Array) => string) | undefined }>;

/** Members that are shared, by their key. */
export type RowProjection = ReadonlyMap<string, SharedMember>;

const lineFeed = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closingBrace = 0x7d;

/** A member as it is written: its name and colon, or nothing when it is left out. */
type KnownKey = Readonly<{ written: Buffer; member: SharedMember | undefined; intro: Buffer }>;

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
    this.#write("{");
    let isFirst = true;
    for (let place = 0; bytes[at] !== closingBrace; place += 1) {
      this.#expect(at, quote);
      const keyEnd = this.#skipString(at);
      const known = this.#readKey(at, keyEnd, place);
      at = this.#skipBlanks(this.#expect(this.#skipBlanks(keyEnd), 0x3a));
      const valueEnd = this.#skipValue(at);
      if (known.member !== undefined) {
        if (!isFirst) this.#write(",");
        isFirst = false;
        this.#copy(known.intro, 0, known.intro.length);
        this.#writeValue(known.member, at, valueEnd);
      }
      at = this.#skipBlanks(valueEnd);
      if (bytes[at] === comma) at = this.#skipBlanks(at + 1);
      else if (bytes[at] !== closingBrace) throw noRow(at);
    }
    this.#write("}\n");
    return this.#expect(this.#skipBlanks(at + 1), lineFeed);
  }

  #readKey(start: number, end: number, place: number): KnownKey {
    const expected = this.#order[place];
    const { written } = expected ?? { written: undefined };
    if (written?.length === end - start && written.compare(this.#bytes, start, end) === 0) return expected!;
    const spelled = this.#bytes.toString("utf8", start, end);
    let known = this.#known.get(spelled);
    if (known === undefined) {
      const member = this.#projection.get(JSON.parse(spelled) as string); // A valid string in quotes.
      const intro = Buffer.from(member === undefined ? "" : `${JSON.stringify(member.name)}:`);
      known = { written: Buffer.from(this.#bytes.subarray(start, end)), member, intro };
      if (this.#known.size < knownKeysMax) this.#known.set(spelled, known);
    }
    this.#order[place] = known;
    return known;
  }

  #writeValue({ mask }: SharedMember, start: number, end: number): void {
    const isNull = this.#bytes[start] === 0x6e; // `null` is the only value that begins so.
    if (mask === undefined || isNull) this.#copy(this.#bytes, start, end);
    else this.#write(JSON.stringify(mask(valueText(this.#bytes.subarray(start, end)))));
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

  #write(text: string): void {
    this.#reserve(text.length * 3);
    this.#at += this.#out.write(text, this.#at);
  }

  #copy(from: Buffer, start: number, end: number): void {
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

/** The text that is masked: of a string what it says, so that its escapes do not matter; else the JSON as it stands. */
function valueText(value: Buffer): Uint8Array {
  if (value[0] !== quote) return value;
  if (!value.includes(backslash)) return value.subarray(1, -1);
  return Buffer.from(JSON.parse(value.toString("utf8")) as string, "utf8"); // A valid string in quotes.
}

function noRow(at: number): LeatError {
  return new LeatError("PART_CORRUPT", {
    message: `A landed row is no JSON object, at byte ${at} of its block.`,
  });
}
