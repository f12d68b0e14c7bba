/** Text → typed columns, and the checks that columns ask for, of every row. */
import type { ColumnCheck, DatasetColumn, DatasetSpec } from "../../ports/dataset.ts";
import type { ColumnViolation } from "../../ports/dataset-engine.ts";
import { convertText } from "./cell-reading.ts";
import { scratchTables } from "./dataset-columns.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { quoteName, quoteText } from "./sql-text.ts";

const { raw, typed } = scratchTables;

/** Offending values told of one problem. */
const samplesMax = 5;

/** Counts of one statement: a select list of thousands is parsed slowly. */
const countsPerStatement = 500;

/** Longest value told, characters. */
const valueLengthMax = 200;

/** Something that must not be, as SQL over one of the two tables. */
type Probe = Readonly<{ column: DatasetColumn; at: number; problem: string; table: string; sql: string }>;

/** Makes the typed table and looks for values that are not what their column asks for. */
export async function readTypes(
  session: DuckDbSession,
  spec: DatasetSpec,
): Promise<readonly ColumnViolation[]> {
  const columns = spec.columns.map(
    (column, at) => `${valueSql(column, `v${at}`)} AS ${quoteName(column.published.name)}`,
  );
  await session.run(
    `CREATE TABLE ${typed} AS SELECT _leat_f, _leat_n, _leat_r, _leat_p, ${columns.join(", ")} FROM ${raw}`,
  );
  const probes = spec.columns.flatMap(probesOf);
  const violations: ColumnViolation[] = [];
  for (const table of [raw, typed]) {
    const ofTable = probes.filter((probe) => probe.table === table);
    for (let from = 0; from < ofTable.length; from += countsPerStatement) {
      const some = ofTable.slice(from, from + countsPerStatement);
      const counts = some.map(({ sql }, index) => `count(*) FILTER (WHERE ${sql}) AS k${index}`);
      const [row] = await session.rows(`SELECT ${counts.join(", ")} FROM ${table}`);
      for (const [index, probe] of some.entries()) {
        const count = Number(row![`k${index}`]);
        if (count > 0) violations.push(await describe(session, probe, count));
      }
    }
  }
  await session.run(`DROP TABLE ${raw}`);
  return violations;
}

async function describe(session: DuckDbSession, probe: Probe, count: number): Promise<ColumnViolation> {
  const { name } = probe.column.published;
  const value = probe.table === raw ? `v${probe.at}` : quoteName(name);
  const rows = await session.rows(
    `SELECT _leat_f, _leat_r, _leat_p, left(CAST(${value} AS VARCHAR), ${valueLengthMax}) AS value FROM ${probe.table}
     WHERE ${probe.sql} ORDER BY _leat_f, _leat_n LIMIT ${samplesMax}`,
  );
  const samples = rows.map((row) => ({
    input: Number(row["_leat_f"]),
    row: Number(row["_leat_r"]),
    place: row["_leat_p"] === null ? null : String(row["_leat_p"]),
    value: row["value"] === null ? null : String(row["value"]),
  }));
  return { column: name, problem: probe.problem, count, samples };
}

/** The value of a text; null where it is none of the type. */
function valueSql({ type }: DatasetColumn, cell: string): string {
  if (type.type === "json") return `CASE WHEN json_valid(${cell}) THEN CAST(${cell} AS JSON) END`;
  const { value, fits } = convertText(type);
  const sql = fits === undefined ? value(cell) : `CASE WHEN ${fits(cell)} THEN ${value(cell)} END`;
  return type.type === "double" ? `(${sql} + 0.0::DOUBLE)` : sql; // -0 equals 0, and must not make another version.
}

const typeProblems: Readonly<Record<string, string>> = {
  bigint: "is no whole number of 64 bits",
  double: "is no number",
  boolean: "is neither true nor false",
  date: "is no date (YYYY-MM-DD)",
  timestamp: "is no date and time without a zone (YYYY-MM-DDThh:mm:ss, at most 6 digits of a second)",
  timestamptz: "is no date and time (YYYY-MM-DDThh:mm:ssZ, at most 6 digits of a second)",
  json: "is no JSON",
};

function probesOf(column: DatasetColumn, at: number): Probe[] {
  const { type, published, checks } = column;
  const cell = `v${at}`;
  const probes: Probe[] = [];
  const add = (table: string, problem: string, sql: string) =>
    probes.push({ column, at, problem, table, sql });
  if (!published.isNullable) add(raw, "is null", `${cell} IS NULL`);
  const fits = type.type === "json" ? `json_valid(${cell})` : convertText(type).fits?.(cell);
  if (fits !== undefined) {
    const problem =
      type.type === "decimal"
        ? `is no number of at most ${type.precision - type.scale} digits before and ${type.scale} after the point`
        : typeProblems[type.type]!;
    add(raw, problem, `${cell} IS NOT NULL AND NOT COALESCE(${fits}, false)`);
  }
  for (const check of checks) add(typed, ...brokenSql(check, column));
  return probes;
}

/** What is wrong where a check is broken, and the condition that finds it; nulls never break one. */
function brokenSql(check: ColumnCheck, column: DatasetColumn): [problem: string, sql: string] {
  const cell = quoteName(column.published.name);
  switch (check.check) {
    case "accepted":
      return [
        `is none of ${check.values.map((value) => JSON.stringify(value)).join(", ")}`,
        `${cell} NOT IN (${check.values.map(scalarSql).join(", ")})`,
      ];
    case "least":
      return check.isIncluded
        ? [`is less than ${check.value}`, `${cell} < ${boundSql(check.value, column)}`]
        : [`is not more than ${check.value}`, `${cell} <= ${boundSql(check.value, column)}`];
    case "most":
      return check.isIncluded
        ? [`is more than ${check.value}`, `${cell} > ${boundSql(check.value, column)}`]
        : [`is not less than ${check.value}`, `${cell} >= ${boundSql(check.value, column)}`];
    case "shortest":
      return [`is shorter than ${check.length}`, `${lengthSql(cell)} < ${check.length}`];
    case "longest":
      return [`is longer than ${check.length}`, `${lengthSql(cell)} > ${check.length}`];
    case "multiple": {
      const ratio = `(CAST(${cell} AS DOUBLE) / ${check.of})`;
      const isOff =
        column.type.type === "bigint" && Number.isInteger(check.of)
          ? `${cell} % ${check.of} <> 0`
          : `abs(${ratio} - round(${ratio})) > 1e-9 * greatest(1, abs(${ratio}))`;
      return [`is no multiple of ${check.of}`, isOff];
    }
    case "matches":
      return [`does not match ${check.shown}`, `NOT regexp_matches(${cell}, ${quoteText(check.pattern)})`];
  }
}

/** JavaScript counts UTF-16 units: two for a character beyond the first 65,536. */
function lengthSql(cell: string): string {
  return `(length(${cell}) + length(regexp_replace(${cell}, '[^\\x{10000}-\\x{10FFFF}]', '', 'g')))`;
}

/** A value of a declaration as a literal. */
export function scalarSql(value: string | number | boolean): string {
  if (typeof value === "string") return quoteText(value);
  return typeof value === "number" && !Number.isFinite(value) ? `'${value}'::DOUBLE` : String(value);
}

/** A bound as a literal of the column's type, or a number. */
export function boundSql(value: string, { type }: DatasetColumn): string {
  switch (type.type) {
    case "bigint":
    case "double":
    case "decimal":
      return /^-?[0-9.]+$/.test(value) ? value : `CAST(${quoteText(value)} AS DOUBLE)`;
    case "text":
    case "json":
      return quoteText(value);
    default:
      return `CAST(${quoteText(value)} AS ${type.type.toUpperCase()})`;
  }
}
