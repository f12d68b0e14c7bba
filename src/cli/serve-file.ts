/** `leat serve <file>`: a file becomes a dataset of one version, in a folder that lives as long as the server. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join, resolve } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { ApiSpec } from "../ports/api-spec.ts";
import type { PublishedDatasets } from "../ports/dataset-query.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ServedFormat } from "../warehouses/duckdb/served-file.ts";
import type { Invocation } from "./invocation.ts";

/** What is served of a file. */
export type ServedFile = Readonly<{
  spec: ApiSpec;
  store: ObjectStore;
  published: PublishedDatasets;
  /** How it was read, for the log. */
  note: string;
}>;

const formats: Readonly<Record<string, ServedFormat | "workbook">> = {
  ".parquet": "parquet",
  ".csv": "csv",
  ".tsv": "csv",
  ".json": "json",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".xlsx": "workbook",
  ".xlsm": "workbook",
  ".xls": "workbook",
};

/**
 * Reads a file and publishes it in a temporary folder.
 *
 * @throws LeatError `USAGE` for an ending that is not known, `FILE_*`, `WORKBOOK_*` for what is wrong with the file.
 */
export async function openServedFile(
  invocation: Invocation,
  file: string,
  sheet: string | undefined,
  version: string,
): Promise<ServedFile> {
  const path = resolve(invocation.cwd, file);
  const ending = extname(path).toLowerCase();
  const format = formats[ending];
  if (format === undefined)
    throw new LeatError("USAGE", {
      message: `"${file}" ends in ${ending === "" ? "nothing that tells what it is" : ending}; ${Object.keys(formats).join(", ")} can be served.`,
    });
  if (sheet !== undefined && format !== "workbook")
    throw new LeatError("USAGE", { message: `--sheet names a sheet of a workbook, and ${file} is none.` });
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new LeatError("FILE_UNREADABLE", { message: `${path}: There is no such file.`, details: { file } });
  if (found.size === 0)
    throw new LeatError("FILE_NOT_WHAT_IT_SAYS", {
      message: `${basename(path)}: It is empty.`,
      hint: "Fetch it again.",
      details: { file },
    });
  const folder = await mkdtemp(join(tmpdir(), "leat-serve-file-"));
  invocation.atEnd(() => rm(folder, { recursive: true, force: true }));
  const name = basename(path, extname(path));
  const facts = { path, name: basename(path), folder };
  const read =
    format === "workbook" ? await readSheet(facts, sheet) : { path, format, note: `read as ${format}` };
  const [{ writeServedFile }, { openFsStore }, { defineApi }] = await Promise.all([
    import("../warehouses/duckdb/served-file.ts"),
    import("../stores/fs/open-fs-store.ts"),
    import("../serve/define-api.ts"),
  ]);
  const parquetPath = join(folder, "rows.parquet");
  const written = await writeServedFile(
    { path: read.path, name: facts.name, format: read.format, parquetPath, workFolder: folder },
    invocation.signal,
  );
  const store = openFsStore(join(folder, "landing"));
  const description = `The rows of ${facts.name}, in its order.`;
  const manifest = await publish(store, parquetPath, { name, description, leat: version, ...written });
  const spec = defineApi({ title: name, description, datasets: [name] });
  return { spec, store, published: onlyVersion(manifest), note: `${read.note}; ${written.rowCount} rows` };
}

type Read = Readonly<{ path: string; format: ServedFormat; note: string }>;

async function readSheet(
  { path, name, folder }: Readonly<{ path: string; name: string; folder: string }>,
  sheet: string | undefined,
): Promise<Read> {
  const { writeSheetCsv } = await import("../readers/write-sheet-csv.ts");
  const csvPath = join(folder, "sheet.csv");
  const written = await writeSheetCsv(path, name, sheet, csvPath);
  return {
    path: csvPath,
    format: "csv",
    note: `sheet "${written.sheet}", header in row ${written.headerRow}`,
  };
}

async function publish(
  store: ObjectStore,
  parquetPath: string,
  facts: Readonly<{ name: string; description: string; leat: string }> &
    Readonly<{ columns: DatasetManifest["schema"]["columns"]; rowCount: number }>,
): Promise<DatasetManifest> {
  const hash = createHash("sha256");
  let bytes = 0;
  const key = "part-00001.parquet";
  const writer = await store.openWriter(key);
  for await (const chunk of createReadStream(parquetPath) as AsyncIterable<Uint8Array>) {
    // Without an encoding: Buffers.
    hash.update(chunk);
    bytes += chunk.length;
    await writer.write(chunk);
  }
  await writer.commit();
  await rm(parquetPath);
  const sha256 = hash.digest("hex");
  const { name, description, columns, rowCount, leat } = facts;
  return {
    formatVersion: 1,
    dataset: name,
    seq: 1,
    version: sha256,
    buildId: "file",
    schema: { description, licence: null, columns, key: [], sort: [], tenantColumn: null },
    rowCount,
    parts: [{ key, rows: rowCount, bytes, sha256 }],
    lineage: {
      files: [],
      streams: [],
      datasets: [],
      sql: null,
      code: null,
      reader: null,
      declaration: sha256,
      leat,
    },
    rules: [],
    restatement: { restated: 0, repeated: 0, files: [], columns: {}, samples: [] },
    layouts: null,
    builtAt: new Date().toISOString(),
  };
}

/** The one version that there will be. */
function onlyVersion(manifest: DatasetManifest): PublishedDatasets {
  const { version, seq, rowCount, builtAt } = manifest;
  return {
    newestSeq: async () => seq,
    readEntry: async () => manifest,
    listVersions: async () => [{ version, seq, rowCount, builtAt, isKept: true }],
  };
}
