/** The files of a stream → rows in the engine, in the order of release. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { FileLayout, FileLineage } from "../model/dataset-manifest.ts";
import { parseExactJson } from "../model/exact-json.ts";
import type { LandedFile } from "../model/landed-file.ts";
import type { DatasetInput, DatasetRow } from "../ports/dataset.ts";
import type { DatasetScratch } from "../ports/dataset-engine.ts";
import type { BuildJob, BuildPorts } from "./build-job.ts";
import { hashCode } from "./hash-declaration.ts";
import { orderReleases } from "./order-releases.ts";
import { readAhead } from "./read-ahead.ts";
import { readLines } from "./read-lines.ts";
import { isRow, notARow } from "./row-shape.ts";
import { RowViolations } from "./row-violations.ts";
import { StagedFile } from "./staged-file.ts";
import type { StagedInputs } from "./staged-inputs.ts";
import { readTidy, type TidyRows } from "./tidy-cache.ts";
import { openPlaces, withPlaces } from "./tidy-places.ts";

type FilesInput = Extract<DatasetInput, { kind: "files" }>;

/** Failures of files told in one error. */
const failuresToldMax = 10;

/** Failures after which no further file is read: thousands that fail alike, each in a new process, take an hour. */
const failuresMax = 20;

/** Stages all files; what cannot be read of them is told at once. */
export async function stageFiles(
  ports: BuildPorts,
  job: BuildJob,
  from: FilesInput,
  scratch: DatasetScratch,
  signal: AbortSignal,
): Promise<StagedInputs> {
  const { spec } = job;
  const { stream, files: landed } = await ports.listFiles(from.stream, from.versions);
  const files = orderReleases(spec.name, { ...from, stream }, landed);
  refuseMixedTenants(spec.name, spec.tenantColumn, files);
  const violations = new RowViolations();
  const lineages: FileLineage[] = [];
  const layouts: FileLayout[] = [];
  const failures: LeatError[] = [];
  const reader = await ports.openReader();
  const { store, workFolder } = ports;
  const declaration = withPlaces(from.read);
  const read = (file: LandedFile, stopping: AbortSignal) =>
    readTidy({ store, reader, workFolder }, file, declaration, stopping);
  const readNow: string[] = [];
  let input = 0;
  for await (const { item: file, result } of readAhead(files, job.readersMax, read, signal)) {
    signal.throwIfAborted();
    const number = input++;
    if ("error" in result) {
      failures.push(readFailed(file, result.error));
      if (failures.length === failuresMax) break;
      continue;
    }
    const tidy = result.value;
    try {
      const { isCached } = tidy;
      if (!isCached) readNow.push(file.id);
      const told = { dataset: spec.name, file: file.name, number: number + 1, of: files.length };
      ports.progress({ type: "reading", ...told, isCached });
      // After a failure the others are read only to tell what else is wrong.
      if (failures.length > 0) continue;
      const placeOf = openPlaces(declaration, number);
      const work = { scratch, violations, tidy, file, input: number, placeOf };
      const rows = await stageFile(ports, job, from, work, signal);
      layouts.push({ id: file.id, name: file.name, sha256: file.sha256, report: tidy.report });
      lineages.push(toLineage(stream, file, tidy.rowCount, rows));
    } finally {
      await tidy.dispose();
    }
  }
  refuseFailures(spec.name, { files: files.length, read: input }, failures);
  return {
    nameInput: (at) => files[at]?.name ?? `input ${at}`,
    files: lineages,
    streams: [],
    datasets: [],
    code: from.map === undefined ? null : { sha256: hashCode(from.map), version: from.codeVersion ?? null },
    reader: reader.version,
    layouts,
    readNow,
    violations,
  };
}

const toLineage = (stream: string, file: LandedFile, tidyRows: number, rows: number): FileLineage => ({
  stream,
  tenant: file.tenant,
  id: file.id,
  name: file.name,
  sha256: file.sha256,
  seq: file.seq,
  row: file.row,
  tidyRows,
  rows,
});

type FileToStage = Readonly<{
  scratch: DatasetScratch;
  violations: RowViolations;
  tidy: TidyRows;
  file: LandedFile;
  input: number;
  placeOf: ReturnType<typeof openPlaces>;
}>;

/** Stages one file's rows; the number of rows that the mapping made of them. */
async function stageFile(
  ports: BuildPorts,
  job: BuildJob,
  from: FilesInput,
  { scratch, violations, tidy, file, input, placeOf }: FileToStage,
  signal: AbortSignal,
): Promise<number> {
  const { spec } = job;
  const path = join(ports.workFolder, `staged-${input}.ndjson`);
  const tenant = spec.tenantColumn === undefined ? undefined : file.tenant;
  const staged = new StagedFile({ spec, path, violations, tenant });
  try {
    let number = 0;
    for await (const lines of readLines(await tidy.open(), file.name)) {
      signal.throwIfAborted();
      for (const line of lines) {
        const tidyRow = parseExactJson(line) as DatasetRow; // The reader's promise: an object a line.
        const place = placeOf(tidyRow, ++number);
        if (from.map === undefined) {
          const full = staged.add(tidyRow, place);
          if (full !== undefined) await full;
          continue;
        }
        for (const row of mapRow(spec.name, from, tidyRow, file, number)) {
          staged.checkNames(row, `${file.name}, row ${number}, after map`);
          const full = staged.add(row, place);
          if (full !== undefined) await full;
        }
      }
    }
    await staged.finish();
  } catch (error) {
    await staged.abort();
    throw error;
  }
  await scratch.addStaged(input, path);
  await rm(path, { force: true });
  return staged.rowCount;
}

function mapRow(
  dataset: string,
  from: FilesInput,
  row: DatasetRow,
  file: LandedFile,
  number: number,
): readonly DatasetRow[] {
  let made: unknown;
  try {
    made = from.map?.(row, { file, fields: file.fields, number });
  } catch (cause) {
    throw new LeatError("MAP_FAILED", {
      message: `${file.name}, row ${number}: \`map\` of the dataset ${dataset} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      details: { dataset, file: file.id, row: number, value: row },
      cause,
    });
  }
  if (made === undefined || made === null) return [];
  const rows: readonly unknown[] = Array.isArray(made) ? made : [made];
  for (const each of rows) {
    if (!isRow(each)) throw notARow(dataset, `${file.name}, row ${number}`, each);
  }
  return rows as readonly DatasetRow[]; // Looked at one by one.
}

function refuseMixedTenants(
  dataset: string,
  tenantColumn: string | undefined,
  files: readonly LandedFile[],
): void {
  const tenants = new Set(files.map(({ tenant }) => tenant));
  if (tenantColumn !== undefined || tenants.size <= 1) return;
  throw new LeatError("CONFIG_INVALID", {
    message: `The dataset ${dataset} is made of files of ${tenants.size} tenants, whose rows would mix.`,
    hint: 'Name a column for the tenant in `tenantColumn`, and make it part of the key; or, where the files belong to no tenant, declare `tenants: "none"` of their source.',
    details: { dataset, tenants: [...tenants].slice(0, failuresToldMax) },
  });
}

const readFailed = (file: LandedFile, error: unknown): LeatError => {
  // What was not foreseen is told as what it is; a full disk is no matter of the file, and the next one's, too.
  if (!isLeatError(error) || error.code.startsWith("STORE_")) throw error;
  return error.at({ file: file.id, name: file.name });
};

/** One failure is told as it is; of several, each. */
function refuseFailures(
  dataset: string,
  counts: Readonly<{ files: number; read: number }>,
  failures: readonly LeatError[],
): void {
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === 1 || first.code === "INTERRUPTED") throw first.at({ dataset });
  const told = failures
    .slice(0, failuresToldMax)
    .map(({ code, message, hint }) => `\n  ${code}: ${message}\n    ${hint}`);
  const more = failures.length > told.length ? `\n  and ${failures.length - told.length} more` : "";
  const stopped =
    counts.read < counts.files ? `\n  After these ${counts.files - counts.read} files were not read.` : "";
  throw new LeatError("INPUT_UNREADABLE", {
    message: `The dataset ${dataset}: ${failures.length} of ${counts.read} files cannot be read:${told.join("")}${more}${stopped}`,
    details: { dataset, files: failures.map(({ details, code }) => ({ ...details, code })) },
    cause: first,
  });
}
