/** Puts one package's records into the landing table, and those that do not fit into the rejects. */
import { LeatError } from "../../errors/leat-error.ts";
import { printColumnType } from "../../model/column-types.ts";
import { anythingSeen, nothingSeen, type PlaceColumns, type PlannedColumn } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { PackageToLoad, StagedPart } from "../../ports/warehouse.ts";
import { planCellReading } from "./cell-reading.ts";
import { type DuckDbSession, throwIfStopped } from "./duckdb-file.ts";
import {
  type CellPlan,
  canNameKeys,
  cellFitsSql,
  fitsSql,
  isRecordSql,
  linesSql,
  type SourceFiles,
  type SourceMode,
  sourceSql,
} from "./package-source.ts";
import { quoteName, quotePointer, quoteText } from "./sql-text.ts";
import { type StagedCopy, type StagingTools, stagePart } from "./stage-exact.ts";

/** Where a package goes. */
export type LandingTarget = Readonly<{
  spec: StreamSpec;
  place: PlaceColumns;
  columns: readonly PlannedColumn[];
}>;

/** Largest record of a landed file (16 MiB) with leat's columns, and the same with every character escaped. */
const objectBytes = { least: 64 * 1024, landed: 17 * 1024 * 1024, quoted: 34 * 1024 * 1024 } as const;

/** How a package is read. */
export type PackagePlan = Readonly<{
  pack: PackageToLoad;
  cells: readonly CellPlan[];
  mode: SourceMode;
  /** Whether private copies with quoted columns are needed. */
  isStaged: boolean;
}>;

/** What became of a package's records. */
export type PackageCounts = Readonly<{ loaded: number; rejected: number }>;

/**
 * Plans the reading of a package.
 *
 * @param isDistrusted - what the manifest says of the kinds has proved wrong: every value is read as text and checked.
 */
export function planPackage(target: LandingTarget, pack: PackageToLoad, isDistrusted: boolean): PackagePlan {
  const cells = target.columns.flatMap((column, index): CellPlan[] => {
    const seen = isDistrusted ? anythingSeen : (pack.columns.get(column.key) ?? nothingSeen);
    const reading = planCellReading(column.type, seen);
    return reading === undefined ? [] : [{ column, reading, index }];
  });
  const keys = [...cells.map(({ column }) => column.key), leatColumns.row, leatColumns.extractedAt];
  if (pack.partitionColumn !== undefined) keys.push(pack.partitionColumn);
  const mode = isDistrusted || !canNameKeys(keys) ? "lines" : "columns";
  return { pack, cells, mode, isStaged: cells.some(({ reading }) => reading.isQuoted) };
}

/**
 * Inserts a package. Inside the caller's transaction.
 *
 * @throws LeatError `LOAD_FAILED` (the engine could not read a file as planned: see {@link isValueError}),
 *   `ACCOUNTING_MISMATCH` when loaded + rejected is not landed (I10).
 */
export async function insertPackage(
  session: DuckDbSession,
  tools: StagingTools,
  target: LandingTarget,
  plan: PackagePlan,
  signal: AbortSignal,
): Promise<PackageCounts> {
  const { pack, cells, mode } = plan;
  const counts = { loaded: 0, rejected: 0 };
  for await (const step of readSteps(tools, pack, cells, signal)) {
    throwIfStopped(signal);
    const rows = sourceSql(mode, step.files, step.originals, cells, pack.partitionColumn);
    const loaded = await session.run(insertSql(target, plan, ofOnePackage(pack), rows));
    counts.loaded += loaded;
    if (loaded < step.records)
      counts.rejected += await insertRejects(session, target, pack, cells, rows, mode, step.originals);
  }
  if (counts.loaded + counts.rejected !== pack.landed) throw accountingError(target.spec, pack, counts);
  return counts;
}

/** The rejects of a package that was read as it lies, where fewer of its records than landed have fitted. */
export async function rejectRest(
  session: DuckDbSession,
  target: LandingTarget,
  plan: PackagePlan,
  loaded: number,
): Promise<PackageCounts> {
  const { pack, cells, mode } = plan;
  let rejected = 0;
  if (loaded < pack.landed)
    for (const group of groupByCompression(pack.parts.filter(({ entry }) => entry.records > 0))) {
      const files = landedFiles(group);
      const rows = sourceSql(mode, files, files, cells, pack.partitionColumn);
      rejected += await insertRejects(session, target, pack, cells, rows, mode, files);
    }
  if (loaded + rejected !== pack.landed) throw accountingError(target.spec, pack, { loaded, rejected });
  return { loaded, rejected };
}

type ReadStep = Readonly<{ files: SourceFiles; originals: SourceFiles; records: number }>;

/** All parts at once where they are read as they lie; one at a time where copies are needed, the next one in advance. */
async function* readSteps(
  tools: StagingTools,
  pack: PackageToLoad,
  cells: readonly CellPlan[],
  signal: AbortSignal,
): AsyncGenerator<ReadStep> {
  const parts = pack.parts.filter(({ entry }) => entry.records > 0);
  if (parts.length === 0) return;
  const quoted = new Set(cells.filter(({ reading }) => reading.isQuoted).map(({ column }) => column.key));
  if (quoted.size === 0) {
    for (const group of groupByCompression(parts)) {
      const files = landedFiles(group);
      yield { files, originals: files, records: group.reduce((sum, { entry }) => sum + entry.records, 0) };
    }
    return;
  }
  let ahead: Promise<StagedCopy> | undefined = stagePart(tools, parts[0]!, quoted, signal);
  try {
    for (const [at, part] of parts.entries()) {
      const copy: StagedCopy = await ahead!;
      const next = parts[at + 1];
      ahead = next === undefined ? undefined : stagePart(tools, next, quoted, signal);
      ahead?.catch(() => undefined); // Looked at when its turn comes.
      try {
        const files: SourceFiles = {
          paths: [copy.path],
          compression: "none",
          objectBytesMax: clampBytes(copy.bytes, objectBytes.quoted),
        };
        yield { files, originals: landedFiles([part]), records: part.entry.records };
      } finally {
        await copy.remove();
      }
    }
  } finally {
    await ahead?.then((copy) => copy.remove()).catch(() => undefined);
  }
}

function groupByCompression(parts: readonly StagedPart[]): readonly (readonly StagedPart[])[] {
  return [...Map.groupBy(parts, ({ compression }) => compression).values()];
}

/** Files of one encoding, read as they lie. */
export function landedFiles(parts: readonly StagedPart[]): SourceFiles {
  return {
    paths: parts.map((part) => part.path),
    compression: parts[0]!.compression,
    objectBytesMax: clampBytes(Math.max(...parts.map(({ entry }) => entry.plainBytes)), objectBytes.landed),
  };
}

/** The engine's read buffers grow with this bound, so that it is no larger than the file. */
function clampBytes(fileBytes: number, most: number): number {
  return Math.min(Math.max(fileBytes + 1024, objectBytes.least), most);
}

/** SQL of a row's tenant and package. */
export type PackageOfRow = Readonly<{ tenant: string; seq: string }>;

const ofOnePackage = (pack: PackageToLoad): PackageOfRow => ({
  tenant: quoteText(pack.tenant),
  seq: `${pack.seq}::BIGINT`,
});

/** Inserts those of `rows` whose cells fit. */
export function insertSql(
  target: LandingTarget,
  { pack, cells }: Pick<PackagePlan, "pack" | "cells">,
  of: PackageOfRow,
  rows: string,
): string {
  const names = [target.place.tenantColumn, ...Object.values(leatColumns)];
  const values = [of.tenant, of.seq, "leat_row", "leat_at"];
  if (target.place.partitionColumn !== undefined && pack.partitionColumn !== undefined) {
    names.push(target.place.partitionColumn);
    values.push("leat_part");
  }
  for (const { column, reading, index } of cells) {
    names.push(column.name);
    values.push(reading.value(`c${index}`, `o${index}`));
  }
  return (
    `INSERT INTO main.${quoteName(target.spec.landingTable)} (${names.map(quoteName).join(", ")}) ` +
    `SELECT ${values.join(", ")} FROM (${rows}) WHERE ${fitsSql(cells)}`
  );
}

/** Most characters of a value that a reject's reason shows; the whole record stands beside it. */
const shownChars = 200;

async function insertRejects(
  session: DuckDbSession,
  target: LandingTarget,
  pack: PackageToLoad,
  cells: readonly CellPlan[],
  rows: string,
  mode: SourceMode,
  originals: SourceFiles,
): Promise<number> {
  const place = [target.spec.source, target.spec.name, pack.tenant].map(quoteText).join(", ");
  const into = `INSERT INTO main._leat_rejects SELECT ${place}, ${pack.seq}::BIGINT,`;
  let rejected = 0;
  if (mode === "lines")
    rejected += await session.run(
      `${into} TRY_CAST(regexp_extract(line, '"${leatColumns.row}":([0-9]+)', 1) AS BIGINT), ` +
        `'the engine cannot read this record, or a key comes twice', NULL, line ` +
        `FROM (${linesSql(originals)}) WHERE NOT ${isRecordSql}`,
    );
  const checked = cells.filter(({ reading }) => reading.fits !== undefined);
  if (checked.length === 0) return rejected;
  const reasons = checked.map((cell) => {
    const what = quoteText(`column ${cell.column.name} is no ${printColumnType(cell.column.type)}: `);
    return `CASE WHEN NOT (${cellFitsSql(cell)}) THEN ${what} || left(c${cell.index}, ${shownChars}) END`;
  });
  const firsts = checked.map((cell) => `WHEN NOT (${cellFitsSql(cell)}) THEN ${quoteText(cell.column.name)}`);
  const pointer = quotePointer([leatColumns.row]);
  rejected += await session.run(
    `${into} leat_row, concat_ws('; ', ${reasons.join(", ")}), CASE ${firsts.join(" ")} END, line ` +
      `FROM (SELECT * FROM (${rows}) WHERE NOT (${fitsSql(cells)})) ` +
      `JOIN (SELECT line, TRY_CAST(json_extract_string(line, ${pointer}) AS BIGINT) AS line_row ` +
      `FROM (${linesSql(originals)}) WHERE json_valid(line)) ON line_row = leat_row`,
  );
  return rejected;
}

function accountingError(
  spec: StreamSpec,
  pack: PackageToLoad,
  counts: Readonly<{ loaded: number; rejected: number }>,
): LeatError {
  const { tenant, seq, landed } = pack;
  return new LeatError("ACCOUNTING_MISMATCH", {
    message:
      `${spec.source}.${spec.name} (tenant ${tenant}), package ${seq}: landed ${landed} records, but ` +
      `loaded ${counts.loaded} and rejected ${counts.rejected}; nothing was loaded.`,
    details: { source: spec.source, stream: spec.name, tenant, seq, landed, ...counts },
  });
}
