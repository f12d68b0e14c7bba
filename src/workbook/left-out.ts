/** Rows that `keep` and `drop` leave out: counted, with the first of them, never silent. */

import { type Layout, toRegExp } from "./layout.ts";
import type { LeftOutReport } from "./layout-report.ts";

/** Rows told of each reason; the count says how many there are. */
const examplesMax = 20;

type Entry = {
  column: string;
  reason: LeftOutReport["reason"];
  count: number;
  rows: number[];
  texts: string[];
};

export class RowFilter {
  readonly #tests: readonly Readonly<{ column: string; pattern: RegExp; isKeep: boolean }>[];
  readonly #entries = new Map<string, Entry>();

  constructor(layout: Pick<Layout, "keep" | "drop" | "columns">) {
    // Headings are left out as columns, before any row is read.
    const headings = new Set(layout.columns.filter(({ form }) => form === "heading").map(({ name }) => name));
    const toTests = (patterns: Layout["keep"], isKeep: boolean) =>
      Object.entries(patterns)
        .filter(([column]) => !headings.has(column))
        .map(([column, pattern]) => ({ column, pattern: toRegExp(pattern), isKeep }));
    this.#tests = [...toTests(layout.keep, true), ...toTests(layout.drop, false)];
  }

  /** Whether a row is kept; one that is not is noted. */
  accepts(row: number, textOf: (column: string) => string): boolean {
    for (const { column, pattern, isKeep } of this.#tests) {
      const text = textOf(column);
      if (pattern.test(text) === isKeep) continue;
      this.#note(column, !isKeep ? "fits drop" : text === "" ? "blank" : "does not fit keep", row, text);
      return false;
    }
    return true;
  }

  report(): readonly LeftOutReport[] {
    return [...this.#entries.values()];
  }

  #note(column: string, reason: LeftOutReport["reason"], row: number, text: string): void {
    const key = `${column} ${reason}`;
    const entry = this.#entries.get(key) ?? { column, reason, count: 0, rows: [], texts: [] };
    this.#entries.set(key, entry);
    entry.count++;
    if (entry.rows.length >= examplesMax) return;
    entry.rows.push(row);
    if (text !== "" && !entry.texts.includes(text)) entry.texts.push(text);
  }
}
