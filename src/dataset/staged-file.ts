/** Rows on their way into the engine: a file of NDJSON, written in large pieces, and each row judged as it passes. */

import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { leatPrefix } from "../model/stream.ts";
import type { DatasetRow, DatasetSpec } from "../ports/dataset.ts";
import type { RowPlace } from "../ports/dataset-engine.ts";
import { toCellText } from "./cell-text.ts";
import type { RowViolations } from "./row-violations.ts";

/** Characters gathered before they are written: fewer, larger writes. */
const pieceLength = 1024 * 1024;

/** How rows of one input are staged. */
export type StagedFileOptions = Readonly<{
  spec: DatasetSpec;
  path: string;
  violations: RowViolations;
  /** Value of the tenant's column, which a row never decides; `undefined`: there is none, or rows hold it. */
  tenant: string | undefined;
}>;

/** Writes the rows of one input. One caller at a time; every method must be awaited. */
export class StagedFile {
  readonly #options: StagedFileOptions;
  readonly #names: ReadonlySet<string>;
  readonly #stream: WriteStream;
  #piece = "";
  #failure: unknown;
  rowCount = 0;

  constructor(options: StagedFileOptions) {
    this.#options = options;
    this.#names = new Set(options.spec.columns.map(({ published }) => published.name));
    this.#stream = createWriteStream(options.path);
    this.#stream.on("error", (error) => {
      this.#failure ??= error;
    });
  }

  /**
   * Adds a row. Resolves when another may come; synchronously most of the time, which is what makes millions bearable.
   *
   * @throws LeatError `COLUMN_MISMATCH` when it has a member that is no column.
   */
  add(row: DatasetRow, place: RowPlace): Promise<void> | undefined {
    const { spec, violations, tenant } = this.#options;
    let line = `{"n":${this.rowCount},"r":${place.row}`;
    if (place.place !== null) line += `,"p":${JSON.stringify(place.place)}`;
    let isWhole = true;
    for (let at = 0; at < spec.columns.length; at++) {
      const { published, type, judge } = spec.columns[at]!;
      const isTenant = tenant !== undefined && published.name === spec.tenantColumn;
      const cell = isTenant ? tenant : toCellText(row[published.name], type);
      if (typeof cell === "object" && cell !== null) {
        violations.add(published.name, cell.problem, place, printValue(row[published.name]));
        isWhole = false;
        continue;
      }
      const problem = judge?.(cell);
      if (problem !== undefined) violations.add(published.name, problem, place, cell);
      if (cell !== null) line += `,"v${at}":${JSON.stringify(cell)}`;
    }
    this.rowCount++;
    if (!isWhole) return undefined; // The engine would tell the gaps once more, as nulls.
    this.#piece += `${line}}\n`;
    return this.#piece.length >= pieceLength ? this.#flush() : undefined;
  }

  /** Refuses members that are no columns: a slip of the pen in `map` must not become a column of nulls. */
  checkNames(row: DatasetRow, where: string): void {
    for (const name in row) {
      if (this.#names.has(name) || name.startsWith(leatPrefix)) continue; // leat's own tell the place.
      throw new LeatError("COLUMN_MISMATCH", {
        message: `${where}: a row has "${name}", which is no column of the dataset ${this.#options.spec.name}.`,
        hint: hintOfKnown(name, "columns", [...this.#names]),
        details: { dataset: this.#options.spec.name, column: name },
      });
    }
  }

  /** Completes the file. */
  async finish(): Promise<void> {
    await this.#flush();
    this.#stream.end();
    await finished(this.#stream).catch((error: unknown) => {
      throw stagingFailed(this.#options.path, error);
    });
  }

  /** Leaves nothing open; for the ways out. */
  async abort(): Promise<void> {
    this.#stream.destroy();
    await finished(this.#stream).catch(() => {});
  }

  async #flush(): Promise<void> {
    const piece = this.#piece;
    this.#piece = "";
    if (this.#failure !== undefined) throw stagingFailed(this.#options.path, this.#failure);
    if (this.#stream.write(piece)) return;
    await once(this.#stream, "drain").catch((error: unknown) => {
      throw stagingFailed(this.#options.path, error);
    });
  }
}

/** What a value that is no cell looks like. */
function printValue(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function stagingFailed(path: string, cause: unknown): LeatError {
  const isFull = (cause as NodeJS.ErrnoException | undefined)?.code === "ENOSPC"; // Of a stream; whatever else has no code.
  return new LeatError(isFull ? "WAREHOUSE_FULL" : "LOAD_FAILED", {
    message: `The rows of a dataset cannot be written to ${path}.`,
    hint: "Free some space beside the warehouse, or look at its permissions.",
    cause,
  });
}
