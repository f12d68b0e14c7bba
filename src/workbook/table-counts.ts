/** What a table's rows were found to be, counted as they pass. */
import { isBlank } from "./cell-text.ts";
import type { Layout } from "./layout.ts";
import type { RejectReport, RowCounts, TableReport } from "./layout-report.ts";
import type { RowFilter } from "./left-out.ts";
import type { SheetRow } from "./sheet.ts";
import { CutLog } from "./text-rules.ts";
import type { TidyValue } from "./typed-value.ts";

/** Rejected cells told; the count says how many there are. */
const rejectsMax = 100;
/** Texts below a table that are kept, and characters of each. */
const notesMax = 200;
const noteTextMax = 2000;
/** Different signs counted; more are not signs. */
const symbolsMax = 100;

export class TableCounts {
  firstRow: number | null = null;
  lastRow: number | null = null;
  data = 0;
  written = 0;
  withoutFigures = 0;
  unlabelled = 0;
  repeatedHeaders = 0;
  belowNotes = 0;
  hidden = 0;
  readonly cuts: CutLog = new CutLog();
  /** Filled cells in rows of data, of columns that are not used. */
  readonly unused: Map<number, number> = new Map<number, number>();
  readonly #filter: RowFilter;
  readonly #nulls: readonly { name: string; index: number; count: number }[];
  readonly #symbols = new Map<string, number>();
  readonly #below: string[] = [];
  readonly #rejects: RejectReport[] = [];
  #rejectCount = 0;

  constructor(layout: Layout, filter: RowFilter) {
    this.#filter = filter;
    this.#nulls = layout.columns.flatMap((spec, index) => {
      const isOfRow =
        (spec.form === "cell" && !spec.isFigure) || spec.form === "label" || spec.form === "section";
      return isOfRow ? [{ name: spec.name, index, count: 0 }] : [];
    });
  }

  /** Counts the values of a row that are null. */
  addNulls(values: readonly TidyValue[]): void {
    for (const entry of this.#nulls) if (values[entry.index] === null) entry.count++;
  }

  nullsOf(name: string): number {
    return this.#nulls.find((entry) => entry.name === name)?.count ?? 0;
  }

  /** Counts the cells of a row that nothing is made of. */
  addUnused({ cells }: SheetRow, used: ReadonlySet<number>): void {
    for (let column = 0; column < cells.length; column++) {
      if (cells[column] === undefined || used.has(column) || isBlank(cells[column])) continue;
      this.unused.set(column, (this.unused.get(column) ?? 0) + 1);
    }
  }

  addSymbol(sign: string): void {
    const count = this.#symbols.get(sign);
    if (count !== undefined || this.#symbols.size < symbolsMax) this.#symbols.set(sign, (count ?? 0) + 1);
  }

  addBelow(texts: readonly string[]): void {
    if (texts.length > 0 && this.#below.length < notesMax)
      this.#below.push(texts.join(" ").slice(0, noteTextMax));
  }

  addReject(reject: RejectReport): void {
    this.#rejectCount++;
    if (this.#rejects.length < rejectsMax) this.#rejects.push(reject);
  }

  report(): Pick<
    TableReport,
    "firstRow" | "lastRow" | "leftOut" | "symbols" | "marksCut" | "rejected" | "below"
  > & {
    rows: RowCounts;
  } {
    const { data, written, withoutFigures, unlabelled, repeatedHeaders, belowNotes, hidden } = this;
    return {
      firstRow: this.firstRow,
      lastRow: this.lastRow,
      rows: { data, written, withoutFigures, unlabelled, repeatedHeaders, belowNotes, hidden },
      leftOut: this.#filter.report(),
      symbols: Object.fromEntries(this.#symbols),
      marksCut: { count: this.cuts.count, examples: this.cuts.examples },
      rejected: { count: this.#rejectCount, examples: this.#rejects },
      below: this.#below,
    };
  }
}
