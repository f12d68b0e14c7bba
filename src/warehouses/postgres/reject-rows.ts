/** Rows for `_leat_rejects`, kept until the landing table's COPY has ended: one connection does one at a time. */
import { createReadStream } from "node:fs";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { StreamSpec } from "../../model/stream.ts";
import type { PackageToLoad } from "../../ports/warehouse.ts";

/** Bytes that are held in memory; more go to a file. */
const heldBytesMax = 4 * 1024 * 1024;

/** One reject. */
export type RejectRow = Readonly<{
  row: number | undefined;
  reason: string;
  column: string | undefined;
  record: string;
}>;

/** Collects rejects in the order in which they come. */
export class RejectRows {
  readonly #parent: string;
  #folder: string | undefined;
  #held: string[] = [];
  #heldBytes = 0;
  count = 0;

  /** @param parent - folder for what memory should not hold. */
  constructor(parent: string) {
    this.#parent = parent;
  }

  add(spec: StreamSpec, { tenant, seq }: PackageToLoad, reject: RejectRow): void {
    const { row, reason, column, record } = reject;
    const texts = [spec.source, spec.name, tenant].map(escapeCopyText);
    const line = [
      ...texts,
      String(seq),
      row === undefined ? "\\N" : String(row),
      escapeCopyText(reason.replaceAll("\0", "\ufffd")),
      column === undefined ? "\\N" : escapeCopyText(column),
      escapeCopyText(record),
    ].join("\t");
    this.#held.push(`${line}\n`);
    this.#heldBytes += line.length + 1;
    this.count += 1;
  }

  /** Moves what is held to the file when it is too much. */
  async spill(): Promise<void> {
    if (this.#heldBytes < heldBytesMax) return;
    this.#folder ??= await mkdtemp(join(this.#parent, "leat-rejects-"));
    await appendFile(this.#file, this.#held.join(""));
    this.#held = [];
    this.#heldBytes = 0;
  }

  get #file(): string {
    return join(this.#folder ?? "", "rejects.copy");
  }

  /** All rows, as COPY reads them. */
  async *read(): AsyncGenerator<Uint8Array> {
    if (this.#folder !== undefined) yield* createReadStream(this.#file);
    if (this.#held.length > 0) yield Buffer.from(this.#held.join(""));
  }

  async remove(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text as the text form of COPY reads it. */
function escapeCopyText(text: string): string {
  return text.replace(/[\\\n\r\t]/g, (sign) => escapes[sign]!);
}
