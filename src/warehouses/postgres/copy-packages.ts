/**
 * Packages → rows of the landing table: lines are taken apart, values written as COPY reads them, in one stream over
 * all packages of a batch. What cannot be a row goes to the rejects. Memory is a few pieces, whatever is loaded.
 */
import { printColumnType } from "../../model/column-types.ts";
import type { PlaceColumns, PlannedColumn } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { PackageToLoad, StagedPart } from "../../ports/warehouse.ts";
import { type CellFault, planCellWriter, textOf, type WriteCell } from "./cell-writing.ts";
import { CopyBuffer, cellBytesMin } from "./copy-buffer.ts";
import { RecordReader, tokens } from "./record-reader.ts";
import type { RejectRows } from "./reject-rows.ts";
import { quoteName } from "./sql-text.ts";

/** Where packages go. */
export type LandingTarget = Readonly<{
  spec: StreamSpec;
  place: PlaceColumns;
  columns: readonly PlannedColumn[];
}>;

/** The plain bytes of a part on this machine. */
export type ReadPart = (part: StagedPart) => AsyncIterable<Uint8Array>;

/** Rows that the server has refused for a reason of its own, by package and place among those sent of it. */
export type ForcedRejects = ReadonlyMap<string, ReadonlyMap<number, string>>;

/** What became of a package's records. */
export type PackageCounts = { loaded: number; rejected: number };

export const nameOf = ({ tenant, seq }: PackageToLoad): string => `${seq} ${tenant}`;

/** Longest line: a record of 16 MiB with leat's columns. */
const lineBytesMax = 17 * 1024 * 1024;

/** Room of a cell beside its text: its head, and a number that is written out where an exponent stood. */
const cellSlackBytes = cellBytesMin + 48;

/** Most characters of a value that a reject's reason shows; the whole record stands beside it. */
const shownChars = 200;

/** A row must fit a page of 8 KiB, after long values have been moved out of it. */
const rowBytesMax = 8000;
/** What a value takes at most that was moved out: a pointer, aligned. */
const movedBytes = 26;
/** What values of a type take, however they are written; aligned. */
const fixedBytes: Readonly<Record<string, number>> = {
  boolean: 1,
  date: 4,
  bigint: 8,
  double: 8,
  timestamp: 8,
  timestamptz: 8,
};
/** Below so many columns no row can be too wide. */
const wideColumns = Math.floor(rowBytesMax / movedBytes);

/** A key that no landed line has: records with names of leat's are quarantined. */
const noKey = "_leat_none";

/** Columns of the COPY, in the order of the cells. */
export function copyColumns({ place, columns }: LandingTarget): string {
  const own = [place.tenantColumn, leatColumns.package, leatColumns.row, leatColumns.extractedAt];
  if (place.partitionColumn !== undefined) own.push(place.partitionColumn);
  return [...own, ...columns.map(({ name }) => name)].map(quoteName).join(", ");
}

/** Turns packages into pieces of rows. One for each COPY. */
export class PackageRows {
  readonly counts: Map<PackageToLoad, PackageCounts> = new Map();
  readonly #target: LandingTarget;
  readonly #forced: ForcedRejects;
  readonly #rejects: RejectRows;
  readonly #out = new CopyBuffer();
  readonly #writers: readonly WriteCell[];
  #reader: RecordReader;
  /** First field of the record's own columns: leat's come before. */
  readonly #firstCell: number;
  /** The package at work: its tenant and seq as a row begins, what became of its records, what must be a reject. */
  #prefix: Uint8Array = Buffer.alloc(0);
  #scratch: CopyBuffer | undefined;
  #counts: PackageCounts = { loaded: 0, rejected: 0 };
  #forcedOfPack: ReadonlyMap<number, string> | undefined;
  /** Its rows that passed leat's own checks. */
  #candidates = 0;
  /** Where packages begin among the rows sent, for errors that tell a line. */
  readonly #begins: { name: string; line: number }[] = [];
  #sent = 0;

  constructor(target: LandingTarget, forced: ForcedRejects, rejects: RejectRows) {
    this.#target = target;
    this.#forced = forced;
    this.#rejects = rejects;
    this.#writers = target.columns.map(({ type }) => planCellWriter(type));
    this.#firstCell = target.place.partitionColumn === undefined ? 2 : 3;
    this.#reader = this.#openReader(undefined);
  }

  /** Rows of the packages, in order. For how long a piece keeps its bytes: see `takeFull`. */
  async *read(packages: readonly PackageToLoad[], readPart: ReadPart): AsyncGenerator<Uint8Array> {
    for (const pack of packages) {
      this.#counts = { loaded: 0, rejected: 0 };
      this.counts.set(pack, this.#counts);
      this.#forcedOfPack = this.#forced.get(nameOf(pack));
      this.#prefix = placeCells(pack);
      this.#candidates = 0;
      this.#begins.push({ name: nameOf(pack), line: this.#sent });
      this.#reader = this.#openReader(pack);
      for (const part of pack.parts) {
        if (part.entry.records === 0) continue;
        for await (const chunk of toLines(readPart(part))) {
          this.#writeLines(pack, chunk);
          yield* this.#out.takeFull();
          await this.#rejects.spill();
        }
      }
    }
    yield* this.#out.takeRest();
  }

  /** Which row of which package a line of the COPY was: its place among the rows that passed leat's own checks. */
  placeOfLine(line: number): Readonly<{ name: string; candidate: number }> | undefined {
    const begin = this.#begins.findLast((begin) => begin.line < line);
    if (begin === undefined) return undefined;
    let candidate = line - begin.line - 1;
    const forced = [...(this.#forced.get(begin.name)?.keys() ?? [])].sort((a, b) => a - b);
    for (const left of forced) if (left <= candidate) candidate += 1;
    return { name: begin.name, candidate };
  }

  /** leat's own fields of a package's lines are no fields of its records, also where later ones have such a key. */
  #openReader(pack: PackageToLoad | undefined): RecordReader {
    const own: string[] = [leatColumns.row, leatColumns.extractedAt];
    if (this.#firstCell === 3) own.push(pack?.partitionColumn ?? noKey);
    const spliced = [pack?.tenantColumn, pack?.partitionColumn];
    const keys = this.#target.columns.map(({ key }) => (spliced.includes(key) ? noKey : key));
    return new RecordReader([...own, ...keys]);
  }

  /** Whole lines, each with its line feed. */
  #writeLines(pack: PackageToLoad, bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      const to = bytes.indexOf(0x0a, from);
      if (to > from) this.#writeLine(pack, bytes, from, to);
      from = to + 1;
    }
  }

  #writeLine(pack: PackageToLoad, bytes: Uint8Array, from: number, to: number): void {
    const reader = this.#reader;
    const counts = this.#counts;
    const fault = reader.read(bytes, from, to);
    const isOurs =
      fault === undefined && reader.token[0] === tokens.number && reader.token[1] === tokens.string;
    if (!isOurs) {
      counts.rejected += 1;
      const reason = fault === "key twice" ? "a key comes twice" : noRecord;
      this.#reject(pack, bytes, from, to, reason, undefined);
      return;
    }
    const faulty = this.#writeRow(bytes, to - from);
    if (faulty !== undefined) {
      this.#out.dropRow();
      counts.rejected += 1;
      this.#rejectCells(pack, bytes, from, to, faulty);
      return;
    }
    const candidate = this.#candidates;
    this.#candidates += 1;
    const forced = this.#forcedOfPack?.get(candidate);
    if (forced !== undefined) {
      this.#out.dropRow();
      counts.rejected += 1;
      this.#reject(pack, bytes, from, to, forced, undefined);
      return;
    }
    this.#sent += 1;
    counts.loaded += 1;
  }

  /** Writes the row; the number of the first column that does not fit, or what is wrong with the row. */
  #writeRow(bytes: Uint8Array, lineBytes: number): number | RowFault | undefined {
    const { token, start, end, hasEscape } = this.#reader;
    const out = this.#out;
    const first = this.#firstCell;
    out.beginRow(
      placeCellCount + token.length,
      2 * lineBytes + token.length * cellSlackBytes + this.#prefix.length,
    );
    out.writeCells(this.#prefix);
    if (writeRowNumber(out, bytes, token[0]!, start[0]!, end[0]!, false) !== undefined) return "no record";
    if (writeTime(out, bytes, token[1]!, start[1]!, end[1]!, hasEscape[1] === 1) !== undefined)
      return "no record";
    if (first === 3) {
      if (token[2] === tokens.absent || token[2] === tokens.null) out.writeNull();
      else if (writePartition(out, bytes, token[2]!, start[2]!, end[2]!, hasEscape[2] === 1) !== undefined)
        return "wide";
    }
    for (let cell = 0, field = first; field < token.length; cell += 1, field += 1) {
      const kind = token[field]!;
      if (kind <= tokens.null) {
        out.writeNull();
        continue;
      }
      const write = this.#writers[cell]!;
      if (write(out, bytes, kind, start[field]!, end[field]!, hasEscape[field] === 1) !== undefined)
        return cell;
    }
    return token.length > wideColumns && this.#widthOf() > rowBytesMax ? "wide" : undefined;
  }

  /** What the row takes at least of its page; an estimate from above for values that stay in it. */
  #widthOf(): number {
    const { token, start, end } = this.#reader;
    let width = 64 + token.length / 8; // Its head, leat's columns, and which are null.
    for (const [cell, { type }] of this.#target.columns.entries()) {
      const field = cell + this.#firstCell;
      if (token[field]! <= tokens.null) continue;
      width += fixedBytes[type.type] ?? Math.min(end[field]! - start[field]! + 4, movedBytes);
    }
    return width;
  }

  #rejectCells(
    pack: PackageToLoad,
    bytes: Uint8Array,
    from: number,
    to: number,
    faulty: number | RowFault,
  ): void {
    if (faulty === "no record") {
      this.#reject(pack, bytes, from, to, noRecord, undefined);
      return;
    }
    if (faulty === "wide") {
      this.#reject(pack, bytes, from, to, "the row is wider than a page of Postgres", undefined);
      return;
    }
    const { token, start, end, hasEscape } = this.#reader;
    this.#scratch ??= new CopyBuffer();
    const scratch = this.#scratch;
    scratch.beginRow(token.length, 2 * (to - from) + token.length * cellSlackBytes);
    const reasons = this.#target.columns.flatMap((column, cell) => {
      const field = cell + this.#firstCell;
      const [kind, at, until, isEscaped] = [
        token[field]!,
        start[field]!,
        end[field]!,
        hasEscape[field] === 1,
      ];
      if (kind <= tokens.null) return [];
      const fault = this.#writers[cell]!(scratch, bytes, kind, at, until, isEscaped);
      if (fault === undefined) return [];
      const text =
        textOf(bytes, kind, at, until, isEscaped) ?? textOf(bytes, tokens.nested, at, until, false)!;
      return [describeFault(column, fault, text)];
    });
    scratch.dropRow();
    this.#reject(pack, bytes, from, to, reasons.join("; "), this.#target.columns[faulty]!.name);
  }

  #reject(
    pack: PackageToLoad,
    bytes: Uint8Array,
    from: number,
    to: number,
    reason: string,
    column: string | undefined,
  ): void {
    const { token, start, end } = this.#reader;
    const record = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
    const row =
      token[0] === tokens.number
        ? Number(textOf(bytes, tokens.number, start[0]!, end[0]!, false))
        : undefined;
    this.#rejects.add(this.#target.spec, pack, {
      row: Number.isSafeInteger(row) ? row : undefined,
      reason,
      column,
      record: record.replaceAll("\0", "\ufffd"),
    });
  }
}

/** Why a line is no row of the table, where no single value of it is at fault. */
type RowFault = "wide" | "no record";

const noRecord = "this line is no record";

const writePartition = planCellWriter({ type: "text" });
const writeRowNumber = planCellWriter({ type: "bigint" });
const writeTime = planCellWriter({ type: "timestamptz" });

/** Cells that all rows of a package begin with: its tenant and its number. */
const placeCellCount = 2;

function placeCells({ tenant, seq }: PackageToLoad): Uint8Array {
  const text = Buffer.from(tenant, "utf8");
  const cells = Buffer.alloc(4 + text.length + 12);
  cells.writeInt32BE(text.length);
  text.copy(cells, 4);
  cells.writeInt32BE(8, 4 + text.length);
  cells.writeBigInt64BE(BigInt(seq), 8 + text.length);
  return cells;
}

function describeFault(column: PlannedColumn, fault: CellFault, text: string): string {
  const shown = text.slice(0, shownChars);
  if (fault === "misfit") return `column ${column.name} is no ${printColumnType(column.type)}: ${shown}`;
  return `column ${column.name} holds ${fault}, which Postgres cannot keep: ${shown}`;
}

/** Cuts chunks at line feeds: each piece is whole lines, the last of which ends in one. */
async function* toLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    const cut = chunk.lastIndexOf(0x0a) + 1;
    if (cut === 0) {
      // A copy: whoever made the chunk may use its memory again.
      held.push(Buffer.from(chunk));
      heldBytes += chunk.length;
      if (heldBytes > lineBytesMax) throw new Error(`a landed line is longer than ${lineBytesMax} bytes`);
      continue;
    }
    if (heldBytes === 0) yield chunk.subarray(0, cut);
    else {
      // The line that two chunks share, then the rest without copying it.
      const first = chunk.indexOf(0x0a) + 1;
      yield Buffer.concat([...held, chunk.subarray(0, first)]);
      if (first < cut) yield chunk.subarray(first, cut);
    }
    const rest = chunk.subarray(cut);
    held = rest.length === 0 ? [] : [Buffer.from(rest)];
    heldBytes = rest.length;
  }
  if (heldBytes > 0) yield Buffer.concat([...held, Buffer.from("\n")]);
}
