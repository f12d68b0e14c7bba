/** `leat serve <file>`: a file becomes a dataset, each of its states a version, in the server's own folder. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { constants, copyFile, mkdir, rm, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { ApiSpec } from "../ports/api-spec.ts";
import type { PublishedDatasets } from "../ports/dataset-query.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ReadFile, ServedFormat } from "../warehouses/duckdb/served-file.ts";
import type { Invocation } from "./invocation.ts";
import { WatchedFile } from "./watched-file.ts";

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

/** The file, and what is known of it before it is read. */
type FileFacts = Readonly<{
  path: string;
  /** What people call it. */
  name: string;
  format: ServedFormat | "workbook";
  sheet: string | undefined;
  /** For what is made while it is read. */
  folder: string;
}>;

/**
 * Reads a file and publishes it in the server's folder.
 *
 * @throws LeatError `USAGE` for an ending that is not known, `FILE_*`, `WORKBOOK_*` for what is wrong with the file.
 */
export async function openServedFile(
  invocation: Invocation,
  file: string,
  { sheet, folder, version }: Readonly<{ sheet: string | undefined; folder: string; version: string }>,
): Promise<ServedFile> {
  const path = resolve(invocation.cwd, file);
  const facts: FileFacts = {
    path,
    name: basename(path),
    format: formatOf(file, path, sheet),
    sheet,
    folder: join(folder, "file"),
  };
  await mkdir(facts.folder);
  const [{ openFsStore }, { defineApi }] = await Promise.all([
    import("../stores/fs/open-fs-store.ts"),
    import("../serve/define-api.ts"),
  ]);
  const name = nameOf(path);
  const description = `The rows of ${facts.name}, in its order.`;
  const store = openFsStore(join(folder, "landing"));
  let note = "";
  const published = await WatchedFile.open(path, {
    copy: () => copyGiven(facts),
    publish: async (seq, copy) => {
      const read = await readCopy({ ...facts, path: copy }, invocation.signal);
      note = `${read.note}; ${read.rowCount} rows`;
      return await publish(store, { name, description, leat: version, seq, ...read });
    },
    forget: (seq) => store.delete(partKey(seq)),
  });
  const spec = defineApi({ title: name, description, datasets: [name] });
  return { spec, store, published, note };
}

/** What the dataset is called in addresses: the file's name, unless that means something there. */
function nameOf(path: string): string {
  const name = basename(path, extname(path)).replace(/\.(json|ndjson|csv|parquet|arrow)$/, "_$1");
  return name === "." || name === ".." ? "file" : name;
}

function formatOf(file: string, path: string, sheet: string | undefined): ServedFormat | "workbook" {
  const ending = extname(path).toLowerCase();
  const format = formats[ending];
  if (format === undefined)
    throw new LeatError("USAGE", {
      message: `"${file}" ends in ${ending === "" ? "nothing that tells what it is" : ending}; ${Object.keys(formats).join(", ")} can be served.`,
    });
  if (sheet !== undefined && format !== "workbook")
    throw new LeatError("USAGE", { message: `--sheet names a sheet of a workbook, and ${file} is none.` });
  return format;
}

type Read = ReadFile & Readonly<{ parquetPath: string; note: string }>;

/** A copy of the file as it is now: where the disk can, one that shares its blocks. */
async function copyGiven({ path, name, folder }: FileFacts): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new LeatError("FILE_UNREADABLE", {
      message: `${path}: There is no such file.`,
      details: { file: path },
    });
  if (found.size === 0)
    throw new LeatError("FILE_NOT_WHAT_IT_SAYS", {
      message: `${name}: It is empty.`,
      hint: "Fetch it again.",
      details: { file: path },
    });
  const copy = join(folder, `given${extname(path)}`);
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  return copy;
}

/** Reads a copy, and deletes it. In processes that may fail without the server. */
async function readCopy(facts: FileFacts, signal: AbortSignal): Promise<Read> {
  const { path, name, folder } = facts;
  let given: Given | undefined;
  try {
    given = await givenOf(facts, signal);
    const { readServedFile } = await import("../warehouses/duckdb/read-served-file.ts");
    const parquetPath = join(folder, "rows.parquet");
    const job = { path: given.path, name, format: given.format, parquetPath, workFolder: folder };
    return { ...(await readServedFile(job, signal)), parquetPath, note: given.note };
  } finally {
    for (const left of [path, given?.path ?? path]) await rm(left, { force: true });
  }
}

/** A file that the engine can read, and how the note tells of it. */
type Given = Readonly<{ path: string; format: ServedFormat; note: string }>;

async function givenOf(facts: FileFacts, signal: AbortSignal): Promise<Given> {
  const { path, format } = facts;
  switch (format) {
    case "workbook":
      return await readSheetOf(facts, signal);
    case "json":
    case "ndjson":
      return { path: await keepNumbers(facts, signal), format, note: `read as ${format}` };
    default:
      return { path, format, note: `read as ${format}` };
  }
}

async function readSheetOf({ path, name, sheet, folder }: FileFacts, signal: AbortSignal): Promise<Given> {
  const { readSheet } = await import("../readers/read-sheet.ts");
  const rowsPath = join(folder, "sheet.csv");
  const written = await readSheet({ path, name, sheet: sheet ?? null, rowsPath }, signal);
  const note = `sheet "${written.sheet}", header in row ${written.headerRow}`;
  return { path: rowsPath, format: "csv", note };
}

/** The file, or a copy in which numbers that the engine would change stand in quotes. */
async function keepNumbers({ path, folder }: FileFacts, signal: AbortSignal): Promise<string> {
  const { mayBeLossy, quoteLossyNumbers } = await import("../scan/quote-lossy.ts");
  const read = (): AsyncIterable<Uint8Array> => createReadStream(path); // Without an encoding: Buffers.
  if (!(await mayBeLossy(read()))) return path;
  const copy = join(folder, "exact.json");
  await pipeline(Readable.from(quoteLossyNumbers(read())), createWriteStream(copy), { signal });
  return copy;
}

const partKey = (seq: number): string => `part-${String(seq).padStart(5, "0")}.parquet`;

async function publish(
  store: ObjectStore,
  facts: Read & Readonly<{ name: string; description: string; leat: string; seq: number }>,
): Promise<DatasetManifest> {
  const { name, description, columns, rowCount, leat, seq, parquetPath } = facts;
  const hash = createHash("sha256");
  let bytes = 0;
  const key = partKey(seq);
  await store.delete(key); // Of a reading of this state that came to nothing.
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
  return {
    formatVersion: 1,
    dataset: name,
    seq,
    version: sha256,
    buildId: `file-${seq}`,
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
