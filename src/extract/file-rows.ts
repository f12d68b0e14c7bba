/** Records of files → landed rows of the package being made. */
import type { PartWriter } from "../landing/part-writer.ts";
import { foldColumns } from "../model/column-kinds.ts";
import { leatColumns } from "../model/stream.ts";
import type { OpenScanner } from "../scan/record-batch.ts";
import type { ExtractRun } from "./extract-run.ts";
import { toFileRecord } from "./file-record.ts";
import type { FileState } from "./files-state.ts";

/** Adds the row of a file version to a run, as its number `file.row`. The scanner says what kinds its columns hold. */
export async function addFileRow(run: ExtractRun, openScanner: OpenScanner, file: FileState): Promise<void> {
  const record = toFileRecord(file);
  const scanner = openScanner({ selector: { form: "lines" }, fields: [], reserved: [] });
  scanner.push(Buffer.from(`${JSON.stringify(record)}\n`, "utf8"));
  while (scanner.take() !== undefined);
  scanner.end();
  const columns = scanner.columns();
  const row = {
    [run.job.tenantColumn]: run.job.tenant.id,
    [leatColumns.package]: file.seq,
    [leatColumns.row]: file.row,
    [leatColumns.extractedAt]: run.extractedAt,
    ...record,
  };
  await writeLine(run.rows, Buffer.from(`${JSON.stringify(row)}\n`, "utf8"));
  run.rows.noteExact(columns);
  run.columns = foldColumns([run.columns, columns]);
}

async function writeLine(rows: PartWriter, line: Buffer): Promise<void> {
  if (rows.room(line.length) < 0) await rows.makeRoom(line.length);
  const at = rows.room(line.length);
  line.copy(rows.block, at);
  rows.added(at + line.length);
}
