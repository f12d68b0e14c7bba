/**
 * The fast reader of rows: a WebAssembly module with vector instructions, working on the plain scanner's own tables.
 *
 * The memory has a fixed size, so that no view of it is ever detached. A table that outgrows its place (thousands of
 * different keys, records of megabytes) goes on as an ordinary array; until it is small again this reader leaves
 * every record to the plain scanner.
 */
import type { RowReader, ScanTables } from "../row-reader.ts";
import type { ScanMemory } from "../scan-memory.ts";
import { escapedStringKind } from "../string-kind.ts";
import * as layout from "./memory-layout.ts";
import { scannerModule } from "./scanner-module.ts";

/** What this file uses of WebAssembly; Node's types leave it to the browser's. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => { exports: object };
};

/** What the module exports; see `assembly/record-reader.as`. */
type ModuleExports = Readonly<{
  configure(fields: number, isLines: boolean, depthMax: number, recordBytesMax: number): void;
  readRecords(from: number, limit: number, isBehind: boolean): number;
  readRecord(from: number): number;
}>;

export type RowReaderOptions = Readonly<{
  fieldCount: number;
  isLines: boolean;
  depthMax: number;
  recordBytesMax: number;
}>;

const pageBytes = 65_536;
const nodeWidth = 16;
const stampsKept = 0x4000_0000;

/** Compiled once in a process; `false` where that is impossible. */
let compiled: object | false | undefined;

/** Opens a fast reader, or none where WebAssembly, its vector instructions, or the memory is missing. */
export function openWasmRowReader(options: RowReaderOptions): RowReader | undefined {
  try {
    compiled ??= new WebAssembly.Module(Buffer.from(scannerModule, "base64"));
    return compiled === false ? undefined : new WasmRowReader(compiled, options);
  } catch {
    // Without vector instructions compiling fails, and will again; a memory may be had at another time.
    compiled ??= false;
    return undefined;
  }
}

class WasmRowReader implements RowReader {
  readonly memory: ScanMemory;
  at = 0;
  isBehind = false;
  #buffer: ArrayBuffer;
  #call: Int32Array;
  #module: ModuleExports;
  #tables: ScanTables | undefined;
  /** Offset in the answer of the record left last, and whether it was cut. */
  #leftOffset = -1;
  #isCut = false;

  constructor(module: object, options: RowReaderOptions) {
    const fieldBytes = 4 * layout.batchRecordsMax * options.fieldCount;
    const pages = Math.ceil((layout.fieldsAt + 2 * fieldBytes) / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#buffer = memory.buffer;
    this.memory = memoryOf(memory.buffer, layout.fieldsAt + fieldBytes);
    this.#call = new Int32Array(memory.buffer, layout.callAt, layout.callSize);
    const instance = new WebAssembly.Instance(module, { env: { memory }, host: this.#host() });
    this.#module = instance.exports as ModuleExports; // Compiled from our own sources.
    const { fieldCount, isLines, depthMax, recordBytesMax } = options;
    this.#module.configure(fieldCount, isLines, depthMax, Math.min(recordBytesMax, layout.bytesMax));
  }

  attach(tables: ScanTables): void {
    this.#tables = tables;
  }

  readRows(at: number, isBehind: boolean): number {
    const { buffer, columns, writer } = this.#tables!;
    const { batch } = writer;
    this.at = at;
    this.isBehind = isBehind;
    // What was left once is not tried again.
    if (buffer.offset + at === this.#leftOffset || !this.#begin()) return 0;
    const { count } = batch;
    const next = this.#module.readRecords(at, buffer.length, isBehind);
    columns.drop();
    this.isBehind = next < 0;
    this.at = next < 0 ? -1 - next : next;
    batch.count = this.#call[layout.callCount]!;
    if (batch.count > count) writer.copyTwins(count);
    const stop = this.#call[layout.callStop];
    this.#isCut = stop === layout.stopCut;
    this.#leftOffset = this.#isCut || stop === layout.stopOdd ? buffer.offset + this.at : -1;
    return batch.count - count;
  }

  isCutAt(at: number): boolean {
    return this.#isCut && this.#tables!.buffer.offset + at === this.#leftOffset;
  }

  readRow(at: number): number {
    return this.#begin() ? this.#module.readRecord(at) : -1;
  }

  /** Prepares a call; false when a table lies elsewhere. */
  #begin(): boolean {
    const { buffer, keys, columns, writer } = this.#tables!;
    columns.drop();
    const isWorn = this.#call[layout.callStamp]! < -stampsKept;
    if (isWorn || !this.#holds(keys.nodes) || !this.#holds(keys.words) || !this.#holds(keys.slots)) {
      keys.forget();
      this.#call[layout.callStamp] = 0;
    }
    if (!this.#holds(columns.kinds) || !this.#holds(buffer.bytes)) return false;
    this.#call[layout.callCount] = writer.batch.count;
    this.#call[layout.callSlotLimit] = keys.slots.length - 1;
    return true;
  }

  #holds(table: Uint8Array | Int32Array): boolean {
    return table.buffer === this.#buffer;
  }

  /** What the module asks of the plain scanner's parts. */
  #host(): Record<string, unknown> {
    /** A node's id, or -1 when the tables have outgrown the memory by it. */
    const ifHeld = (node: number): number => {
      const { keys, columns } = this.#tables!;
      this.#call[layout.callSlotLimit] = keys.slots.length - 1;
      const areHeld = [keys.nodes, keys.words, keys.slots, columns.kinds].every((table) =>
        this.#holds(table),
      );
      return areHeld ? node : -1;
    };
    return {
      findKey: (start: number, end: number, parent: number, hasEscape: number) => {
        const { keys, buffer } = this.#tables!;
        return ifHeld(keys.find(buffer.bytes, start, end, parent, hasEscape === 1));
      },
      elementsOf: (node: number) => ifHeld(this.#tables!.keys.elementsOf(node)),
      note: (column: number, kinds: number, intDigits: number, scale: number) =>
        this.#tables!.columns.note(column, kinds, intDigits, scale, false),
      noteNumber: (start: number, end: number, column: number, isOwn: number) =>
        this.#tables!.columns.noteNumber(this.#tables!.buffer.bytes, start, end, column, isOwn === 1),
      escapedKind: (start: number, end: number) => escapedStringKind(this.#tables!.buffer.bytes, start, end),
      commit: () => this.#tables!.columns.commit(),
    };
  }
}

/** The places of the tables in the module's memory; an array of its own for one that does not fit its place. */
function memoryOf(buffer: ArrayBuffer, fieldEndsAt: number): ScanMemory {
  const integers = (at: number, max: number) => (length: number) =>
    length <= max ? new Int32Array(buffer, at, length) : new Int32Array(length);
  const octets = (at: number, max: number) => (length: number) =>
    length <= max ? new Uint8Array(buffer, at, length) : new Uint8Array(length);
  const { batchRecordsMax, bytesMax, bytesSlack, columnsMax } = layout;
  const bytesHeld = bytesMax + bytesSlack;
  return {
    bytes: (length) =>
      length <= bytesHeld ? Buffer.from(buffer, layout.bytesAt, length) : Buffer.allocUnsafeSlow(length),
    nodes: integers(layout.nodesAt, nodeWidth * layout.nodesMax),
    words: integers(layout.wordsAt, layout.wordsMax),
    slots: integers(layout.slotsAt, layout.slotsMax),
    kinds: integers(layout.kindsAt, columnsMax),
    intDigits: integers(layout.intDigitsAt, columnsMax),
    scales: integers(layout.scalesAt, columnsMax),
    exact: octets(layout.exactAt, columnsMax),
    starts: integers(layout.startsAt, batchRecordsMax),
    ends: integers(layout.endsAt, batchRecordsMax),
    problems: octets(layout.problemsAt, batchRecordsMax),
    fieldStarts: integers(layout.fieldsAt, Number.POSITIVE_INFINITY),
    fieldEnds: integers(fieldEndsAt, Number.POSITIVE_INFINITY),
  };
}
