/** A dataset's inputs → rows in the engine, and where they came from. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { DatasetInput, DatasetRow } from "../ports/dataset.ts";
import type { DatasetScratch } from "../ports/dataset-engine.ts";
import type { BuildJob, BuildPorts } from "./build-job.ts";
import { hashCode } from "./hash-declaration.ts";
import { isRow, notARow } from "./row-shape.ts";
import { RowViolations } from "./row-violations.ts";
import { stageFiles } from "./stage-files.ts";
import { StagedFile } from "./staged-file.ts";
import type { StagedInputs } from "./staged-inputs.ts";

type RowsInput = Extract<DatasetInput, { kind: "rows" }>;

/** Rows between two looks at the signal. */
const rowsPerCheck = 10_000;

/** Reads everything that the dataset is made of into the scratch space. */
export async function stageInputs(
  ports: BuildPorts,
  job: BuildJob,
  scratch: DatasetScratch,
  signal: AbortSignal,
): Promise<StagedInputs> {
  const { from } = job.spec;
  const nothing = {
    nameInput: () => "the query",
    files: [],
    streams: [],
    datasets: [],
    code: null,
    reader: null,
    layouts: [],
    readNow: [],
    violations: new RowViolations(),
  } as const;
  switch (from.kind) {
    case "files":
      return await stageFiles(ports, job, from, scratch, signal);
    case "rows":
      return { ...nothing, ...(await stageRows(ports, job, from, scratch, signal)) };
    case "query":
    case "stream": {
      const { rowCount, ...heads } = await scratch.addQuery(0);
      ports.progress({ type: "rows", dataset: job.spec.name, rows: rowCount });
      return { ...nothing, ...heads };
    }
  }
}

async function stageRows(
  ports: BuildPorts,
  job: BuildJob,
  from: RowsInput,
  scratch: DatasetScratch,
  signal: AbortSignal,
): Promise<Pick<StagedInputs, "nameInput" | "code" | "violations">> {
  const { spec } = job;
  const violations = new RowViolations();
  const path = join(ports.workFolder, "staged.ndjson");
  const staged = new StagedFile({ spec, path, violations, tenant: undefined });
  try {
    let number = 0;
    for await (const row of failingByName(from.make({ signal }), spec.name)) {
      if (++number % rowsPerCheck === 0) signal.throwIfAborted();
      if (!isRow(row)) throw notARow(spec.name, `row ${number}`, row);
      staged.checkNames(row, `Row ${number}`);
      await staged.add(row, { input: 0, row: number, place: null });
    }
    await staged.finish();
  } catch (error) {
    await staged.abort();
    throw error;
  }
  await scratch.addStaged(0, path);
  await rm(path, { force: true });
  ports.progress({ type: "rows", dataset: spec.name, rows: staged.rowCount });
  const code = { sha256: hashCode(from.make), version: from.codeVersion ?? null };
  return { nameInput: () => "the project's rows", code, violations };
}

/** Errors of the project's own generator, with the dataset's name. */
async function* failingByName(
  rows: AsyncIterable<DatasetRow> | Iterable<DatasetRow>,
  dataset: string,
): AsyncGenerator<DatasetRow> {
  try {
    yield* rows;
  } catch (cause) {
    if (isLeatError(cause)) throw cause;
    throw new LeatError("MAP_FAILED", {
      message: `The rows of the dataset ${dataset} ended with an error: ${cause instanceof Error ? cause.message : String(cause)}`,
      details: { dataset },
      cause,
    });
  }
}
