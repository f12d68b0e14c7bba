/**
 * Finds where zstd frames end. Node's own readers stop after the first frame without an error (measured on 24.21), and
 * servers that compress page by page send several.
 *
 * @see source: RFC 8878 §3.1, read 2026-11.
 */

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
/** They hold notes of the compressor, some bytes long; one that does not is an attack on memory. */
const skippableBytesMax = 1024 * 1024;

/** Walks one frame: yields how many bytes it needs next, is given them, and returns whether the frame has data. */
export function* walkFrame(): Generator<number, boolean, Uint8Array> {
  const magic = readLittle(yield 4);
  if (isSkippable(magic)) {
    const bytes = readLittle(yield 4);
    if (bytes > skippableBytesMax) throw new Error(`A skippable zstd frame has ${bytes} bytes.`);
    if (bytes > 0) yield bytes;
    return false;
  }
  if (magic !== frameMagic)
    throw new Error("The answer is not zstd: a frame does not begin with its magic number.");
  const descriptor = (yield 1)[0]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
  const headerBytes = windowBytes + dictionaryBytes + sizeBytes;
  if (headerBytes > 0) yield headerBytes;
  for (let isLast = false; !isLast; ) {
    const header = readLittle(yield 3);
    isLast = (header & 1) === 1;
    const isRun = ((header >> 1) & 3) === 1;
    const bytes = isRun ? 1 : header >> 3;
    if (bytes > 0) yield bytes;
  }
  if ((descriptor & 4) !== 0) yield 4;
  return true;
}

/** Cuts complete bytes into frames that hold data. Throws when the last one is not complete. */
export function splitFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const walk = walkFrame();
    let step = walk.next(empty);
    while (!step.done) {
      const piece = bytes.subarray(at, at + step.value);
      if (piece.length < step.value) throw truncatedFrame();
      at += step.value;
      step = walk.next(piece);
    }
    if (step.value) frames.push(bytes.subarray(start, at));
  }
  return frames;
}

/**
 * Cuts bytes into frames as they come; each is an iterable of its pieces, read to its end before the next is asked for.
 * Holds at most one block, 128 KiB.
 */
export async function* streamFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<AsyncIterable<Uint8Array>, void> {
  const reader = new PieceReader(source);
  try {
    while (await reader.hasMore()) {
      const walk = walkFrame();
      walk.next(empty);
      const magic = await reader.take(4);
      const step = walk.next(magic);
      if (!isSkippable(readLittle(magic))) yield framePieces(reader, walk, magic, step);
      else await skipFrame(reader, walk, step);
    }
  } finally {
    await reader.close();
  }
}

type FrameWalk = ReturnType<typeof walkFrame>;
type FrameStep = IteratorResult<number, boolean>;

async function* framePieces(
  reader: PieceReader,
  walk: FrameWalk,
  magic: Uint8Array,
  first: FrameStep,
): AsyncGenerator<Uint8Array> {
  yield magic;
  for (let step = first; !step.done; ) {
    const piece = await reader.take(step.value);
    yield piece;
    step = walk.next(piece);
  }
}

async function skipFrame(reader: PieceReader, walk: FrameWalk, first: FrameStep): Promise<void> {
  for (let step = first; !step.done; ) step = walk.next(await reader.take(step.value));
}

/** Hands out exactly as many bytes as are asked for. */
class PieceReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = empty;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async hasMore(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      this.#rest = next.value;
    }
    return true;
  }

  async take(count: number): Promise<Uint8Array> {
    if (this.#rest.length >= count) return this.#cut(count);
    const pieces: Uint8Array[] = [];
    let missing = count;
    while (missing > 0) {
      if (!(await this.hasMore())) throw truncatedFrame();
      const piece = this.#cut(Math.min(missing, this.#rest.length));
      pieces.push(piece);
      missing -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #cut(count: number): Uint8Array {
    const piece = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return piece;
  }
}

const empty = new Uint8Array(0);

/** The same shape as zlib's own, so that both are told apart from wrong data. */
function truncatedFrame(): Error {
  return Object.assign(new Error("unexpected end of file"), { code: "Z_BUF_ERROR" });
}

function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === skippableMagic;
}

function readLittle(bytes: Uint8Array): number {
  let value = 0;
  for (let index = bytes.length - 1; index >= 0; index--) value = value * 256 + bytes[index]!;
  return value;
}
