/**
 * The thread that prints exports: rows of a version, straight from the memory that it shares with the server. It makes a
 * piece when it is asked for one, so that a slow reader costs a number and not a buffer. Started by `render-thread.ts`.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { Pack } from "./pack.ts";
import { openRowPrinter, type PrintedColumn, type RowPrinter } from "./print-rows.ts";
import type { RenderJob, RenderMessage, RenderReply } from "./render-messages.ts";

/** Characters of a piece: enough to keep a connection busy, few enough that many jobs take turns. */
const pieceLength = 256 * 1024;
/** Row numbers read from a file at once. */
const numbersAtOnce = 65_536;

const packs = new Map<string, Pack>();
const jobs = new Map<number, PrintJob>();

/** Prints pieces of one export, one after another. */
class PrintJob {
  readonly #printer: RowPrinter;
  readonly #rows: RowSource;
  #isBegun = false;
  isEnded = false;

  constructor(pack: Pack, { format, columns, source }: RenderJob) {
    const printed = columns.flatMap((name): PrintedColumn[] => {
      const packed = pack.column(name);
      return packed === undefined ? [] : [{ name, packed }];
    });
    this.#printer = openRowPrinter(format, printed);
    this.#rows = source === "all" ? new AllRows(pack.rowCount) : new NumberedRows(source.path);
  }

  /** The next piece, one character a byte; empty only at the end. */
  next(): string {
    const { before, between, after, print } = this.#printer;
    let text = "";
    let isFirst = !this.#isBegun;
    if (isFirst) text = before;
    this.#isBegun = true;
    for (let row = this.#rows.next(); row >= 0; row = this.#rows.next()) {
      text += isFirst ? print(row) : between + print(row);
      isFirst = false;
      if (text.length >= pieceLength) return text;
    }
    this.isEnded = true;
    // Lines end with each row, and there may be none.
    return isFirst && after.trim() === "" ? text : text + after;
  }

  close(): void {
    this.#rows.close();
  }
}

/** Rows in their order; -1 at the end. */
interface RowSource {
  next(): number;
  close(): void;
}

class AllRows implements RowSource {
  readonly #count: number;
  #row = 0;

  constructor(count: number) {
    this.#count = count;
  }

  next(): number {
    return this.#row < this.#count ? this.#row++ : -1;
  }

  close(): void {}
}

/** Rows whose numbers stand in a file, which is gone when it is closed. */
class NumberedRows implements RowSource {
  readonly #path: string;
  readonly #fd: number;
  readonly #numbers = new Uint32Array(numbersAtOnce);
  #held = 0;
  #at = 0;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "r");
  }

  next(): number {
    if (this.#at === this.#held) {
      this.#held = readSync(this.#fd, this.#numbers, 0, this.#numbers.byteLength, null) / 4;
      this.#at = 0;
      if (this.#held === 0) return -1;
    }
    return this.#numbers[this.#at++]!;
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }
}

const reply = (message: RenderReply, transfer: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer);

parentPort?.on("message", (message: RenderMessage) => {
  switch (message.do) {
    case "add":
      packs.set(message.id, new Pack(message.pack));
      return;
    case "drop":
      packs.delete(message.id);
      return;
    case "next":
      printPiece(message.job);
      return;
    case "end":
      endJob(message.job);
      return;
    default:
      beginJob(message);
  }
});

function beginJob(message: Extract<RenderMessage, { do: "open" | "write" }>): void {
  const { job, asked } = message;
  try {
    const pack = packs.get(asked.id);
    if (pack === undefined) throw new Error(`the version ${asked.id} is not there`);
    jobs.set(job, new PrintJob(pack, asked));
    if (message.do === "open") printPiece(job);
    else writePiece(job, openSync(message.path, "w"), 0, message.bytesMax);
  } catch (error) {
    fail(job, error);
  }
}

function printPiece(job: number): void {
  const work = jobs.get(job);
  if (work === undefined) return;
  try {
    const text = work.next();
    const bytes = Buffer.allocUnsafeSlow(text.length); // Of its own memory, which can be handed over.
    bytes.write(text, "latin1");
    const piece = new Uint8Array(bytes.buffer, 0, bytes.length);
    const { isEnded } = work;
    if (isEnded) endJob(job);
    reply({ job, piece, isEnd: isEnded }, [bytes.buffer]);
  } catch (error) {
    fail(job, error);
  }
}

/** Writes a file piece by piece; between two of them others have their turn. */
function writePiece(job: number, fd: number, written: number, bytesMax: number): void {
  const work = jobs.get(job);
  let isOver = work === undefined;
  let bytes = written;
  try {
    if (work !== undefined) {
      bytes += writeSync(fd, Buffer.from(work.next(), "latin1"));
      isOver = work.isEnded || bytes > bytesMax;
    }
    if (!isOver) {
      setImmediate(() => writePiece(job, fd, bytes, bytesMax));
      return;
    }
    closeSync(fd);
    endJob(job);
    reply({ job, bytes: bytes > bytesMax || work === undefined ? undefined : bytes });
  } catch (error) {
    closeSync(fd);
    fail(job, error);
  }
}

function endJob(job: number): void {
  jobs.get(job)?.close();
  jobs.delete(job);
}

function fail(job: number, error: unknown): void {
  endJob(job);
  reply({ job, error: error instanceof Error ? error.message : String(error) });
}
