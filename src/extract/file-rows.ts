/** Records of files → landed rows of the package being made. */
import type { PartWriter } from "../landing/part-writer.ts";
import { foldColumns } from "../model/column-kinds.ts";
import { leatColumns } from "../model/stream.ts";
import type { OpenScanner, RecordScanner } from "../scan/record-batch.ts";
import type { ExtractRun } from "./extract-run.ts";
import { toFileRecord } from "./file-record.ts";
import type { FileState } from "./files-state.ts";

/** Adds rows to a run. One scanner serves all of them: opening one costs more than many a file. */
export class FileRows {
  readonly #run: ExtractRun;
  readonly #scanner: RecordScanner;

  constructor(run: ExtractRun, openScanner: OpenScanner) {
    this.#run = run;
    this.#scanner = openScanner({ selector: { form: "lines" }, fields: [], reserved: [] });
  }

  /** Adds the row of a file version, as number `file.row` of the package. */
  async add(file: FileState): Promise<void> {
    const { job, rows, extractedAt } = this.#run;
    const record = toFileRecord(file);
    const row = {
      [job.tenantColumn]: job.tenant.id,
      [leatColumns.package]: file.seq,
      [leatColumns.row]: file.row,
      [leatColumns.extractedAt]: extractedAt,
      ...record,
    };
    await writeLine(rows, toLine(row));
    const columns = this.#columnsOf(toLine(record));
    rows.noteExact(columns);
    this.#run.columns = foldColumns([this.#run.columns, columns]);
  }

  /** What kinds of values a record holds: the scanner decides, as for every other stream. */
  #columnsOf(line: Buffer) {
    const scanner = this.#scanner;
    scanner.restart();
    scanner.resetColumns();
    scanner.push(line);
    while (scanner.take() !== undefined);
    scanner.end();
    return scanner.columns();
  }
}

const toLine = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`, "utf8");

async function writeLine(rows: PartWriter, line: Buffer): Promise<void> {
  if (rows.room(line.length) < 0) await rows.makeRoom(line.length);
  const at = rows.room(line.length);
  line.copy(rows.block, at);
  rows.added(at + line.length);
}
