/** Tidy rows as NDJSON on the disk, whole or not at all. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { LeatError } from "../../errors/leat-error.ts";
import type { TidyValue } from "../../workbook/typed-value.ts";

/** Text gathered before it is written, in characters. */
const bufferLength = 256 * 1024;
/** Most bytes of rows of one file: a declaration that makes more is wrong, or the file is made to fill the disk. */
const rowsBytesMax = 16 * 2 ** 30;

/** The name under which rows are written until they are complete. */
export const partialPath = (rowsPath: string): string => `${rowsPath}.partial`;

/** Where a member of an archive lies while it is read. */
export const memberPath = (rowsPath: string): string => `${rowsPath}.member`;

export class RowWriter {
  readonly #path: string;
  readonly #fd: number;
  /** `{"geo_code":`, `,"month":` …: keys are written once and not once a row. */
  readonly #keys: readonly string[];
  #text = "";
  #bytes = 0;
  #rowCount = 0;

  /** Begins the file of a job's rows. @throws LeatError `STORE_UNWRITABLE`. */
  constructor(path: string, columns: readonly string[]) {
    this.#path = path;
    this.#keys = columns.map((name, index) => `${index === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    this.#fd = guardWrite(() => openSync(partialPath(path), "w"));
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** @param values - of the columns, in their order. */
  readonly write = (values: readonly TidyValue[]): void => {
    let text = "";
    for (let index = 0; index < this.#keys.length; index++)
      text += this.#keys[index]! + print(values[index]!);
    this.#text += `${text === "" ? "{" : text}}\n`;
    this.#rowCount++;
    if (this.#text.length >= bufferLength) this.#flush();
  };

  /** Gives the file its name. */
  finish(): void {
    guardWrite(() => {
      this.#flush();
      closeSync(this.#fd);
      renameSync(partialPath(this.#path), this.#path);
    });
  }

  /** Leaves nothing behind. */
  discard(): void {
    closeSync(this.#fd);
    rmSync(partialPath(this.#path), { force: true });
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = "";
    this.#bytes += bytes.length;
    if (this.#bytes > rowsBytesMax) {
      throw new LeatError("FILE_TOO_LARGE", {
        message: `Its rows take more than ${rowsBytesMax} bytes.`,
        hint: "Look at the declaration: it may make a row of each cell. Or split the file.",
        details: { rowCount: this.#rowCount, rowsBytesMax },
      });
    }
    guardWrite(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    });
  }
}

/** Half of a surrogate pair is no text to any warehouse. */
const print = (value: TidyValue): string =>
  typeof value === "string" ? JSON.stringify(value.toWellFormed()) : JSON.stringify(value);

function guardWrite<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof LeatError) throw error;
    const isFull = error instanceof Error && "code" in error && error.code === "ENOSPC";
    throw new LeatError(isFull ? "STORE_FULL" : "STORE_UNWRITABLE", {
      message: isFull ? "The disk is full; no rows were written." : "The file of rows cannot be written.",
      hint: isFull
        ? "Free some space and run again."
        : "Check the permissions of the folder for temporary files.",
      cause: error,
    });
  }
}
