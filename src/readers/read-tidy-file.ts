/** One file by its declaration: bytes → rows and a report. In a process of its own, since it reads what strangers made. */
import { LeatError } from "../errors/leat-error.ts";
import type { TextForm } from "../model/text-form.ts";
import type { LayoutReport, TidyDeclaration } from "../ports/tidy.ts";
import type { TidyValue } from "../workbook/typed-value.ts";
import { fileKindOf, notWhatItSays, readHead } from "./file-kind.ts";
import { openWorkbook } from "./open-workbook.ts";

/** A file on the disk. */
export type TidyFile = Readonly<{
  path: string;
  /** What people call it. */
  name: string;
  /** What its source knows of it. */
  fields: Readonly<Record<string, string>>;
}>;

/** Takes a row: values of the declaration's columns in their order. */
export type EmitRow = (values: readonly TidyValue[]) => void;

/**
 * Reads a file.
 *
 * @returns what was made of it; its form is that of the format.
 * @throws LeatError `WORKBOOK_*` or `FILE_*`. Rows handed over before are worth nothing then.
 */
export async function readTidyFile(
  file: TidyFile,
  declaration: TidyDeclaration,
  emit: EmitRow,
): Promise<LayoutReport> {
  // Each reader is loaded when it is needed: together they take longer than a small file.
  switch (declaration.format) {
    case "workbook":
      return readWorkbook(file, declaration, emit);
    case "csv": {
      refuseOthers(file);
      const { readCsvTable } = await import("./tables/read-csv-table.ts");
      const { path, name } = file;
      const form = declaration.options as TextForm; // Checked where it was declared; other options stand beside it.
      return readCsvTable({ path, name, columns: sourceColumns(declaration), form }, emit);
    }
    case "json":
    case "ndjson": {
      refuseOthers(file);
      const { readJsonTable, readNdjsonTable } = await import("./tables/read-json-table.ts");
      const table = { path: file.path, name: file.name, columns: sourceColumns(declaration) };
      if (declaration.format === "ndjson") return readNdjsonTable(table, emit);
      return readJsonTable(table, textOf(declaration.options["records"]), emit);
    }
    case "parquet":
      throw new LeatError("NOT_SUPPORTED", {
        message: `${file.name}: Parquet is read by an engine; this reader has none.`,
      });
  }
}

async function readWorkbook(
  file: TidyFile,
  declaration: TidyDeclaration,
  emit: EmitRow,
): Promise<LayoutReport> {
  const { tidyWorkbook } = await import("../workbook/tidy-workbook.ts");
  const form = declaration.options["text"] as TextForm | undefined; // Checked where it was declared.
  const workbook = await openWorkbook(file.path, file.name, form);
  try {
    const report = await tidyWorkbook(workbook, file, declaration, (rows) => {
      for (const row of rows) emit(row);
    });
    return report as unknown as LayoutReport; // Plain data throughout, as it crosses to the owner as JSON.
  } finally {
    await workbook.close();
  }
}

/** Tables are text; a web page or a workbook under the name of one is told as what it is. */
function refuseOthers({ path, name }: TidyFile): void {
  const head = readHead(path, name);
  const kind = fileKindOf(head);
  if (kind !== "text") throw notWhatItSays(name, kind, "a text file", head);
}

/** Names in the file, in the order of the tidy columns. */
function sourceColumns({ columns, options }: TidyDeclaration): readonly string[] {
  const names = options["columns"] as Readonly<Record<string, string>>; // Checked where it was declared.
  return columns.map((column) => names[column]!);
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
