/** Quality rules as SQL over the sorted rows of a build. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { JsonObject } from "../../model/json-value.ts";
import type { DatasetRule, DatasetSpec, RowCondition, RuleCheck } from "../../ports/dataset.ts";
import type { RuleContext, RuleFinding } from "../../ports/dataset-engine.ts";
import { columnOf, jsonOf, scratchTables, shown } from "./dataset-columns.ts";
import { toObject } from "./dataset-keys.ts";
import { boundSql, scalarSql } from "./dataset-types.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { firstLine } from "./engine-errors.ts";
import { quotePaths } from "./package-source.ts";
import { allOf, anyOf, quoteName, quoteText } from "./sql-text.ts";

const { sorted } = scratchTables;

/** Offending rows or groups told of one rule: the first by their columns, so that two builds tell the same. */
const samplesMax = 10;

type RuleOf<Name extends RuleCheck["rule"]> = Extract<RuleCheck, { rule: Name }>;
type Bench = Readonly<{ session: DuckDbSession; spec: DatasetSpec }>;

/** Runs one rule. What the engine says of the project's own SQL is told with the rule's name. */
export async function runRule(
  session: DuckDbSession,
  spec: DatasetSpec,
  rule: DatasetRule,
  context: RuleContext,
): Promise<RuleFinding> {
  try {
    return await runCheck({ session, spec }, rule.check, context);
  } catch (error) {
    const cause = isLeatError(error) && error.code === "LOAD_FAILED" ? error.cause : undefined;
    if (!(cause instanceof Error)) throw error;
    throw new LeatError("CONFIG_INVALID", {
      message: `The rule "${rule.name}" of the dataset ${spec.name} cannot be run: ${firstLine(cause.message)}`,
      hint: `Its SQL sees the dataset's columns, and the dataset itself as ${spec.name}.`,
      details: { dataset: spec.name, rule: rule.name },
    });
  }
}

async function runCheck(bench: Bench, check: RuleCheck, context: RuleContext): Promise<RuleFinding> {
  switch (check.rule) {
    case "notNull":
      return await rowRule(bench, check, {
        broken: anyOf(check.columns.map((name) => `${quoteName(name)} IS NULL`)),
        columns: check.columns,
      });
    case "acceptedValues":
      return await valueRule(
        bench,
        check,
        (cell) => `${cell} NOT IN (${check.values.map(scalarSql).join(", ")})`,
      );
    case "range": {
      const column = columnOf(bench.spec, check.column);
      return await valueRule(bench, check, (cell) =>
        anyOf([
          ...(check.min === undefined ? [] : [`${cell} < ${boundSql(check.min, column)}`]),
          ...(check.max === undefined ? [] : [`${cell} > ${boundSql(check.max, column)}`]),
        ]),
      );
    }
    case "matches":
      return await valueRule(
        bench,
        check,
        (cell) => `NOT regexp_matches(CAST(${cell} AS VARCHAR), ${quoteText(check.pattern)})`,
      );
    case "unique":
      return await uniqueRule(bench, check);
    case "rowCount":
      return await rowCountRule(bench, check, context);
    case "freshness":
      return await freshnessRule(bench, check, context);
    case "sums":
      return await sumsRule(bench, check);
    case "references":
      return await referencesRule(bench, check, context);
    case "sql":
      return await sqlRule(bench, check);
  }
}

/** Rows as SQL: all, or those of a condition. */
function rowsOf(spec: DatasetSpec, where: RowCondition | undefined): string {
  return where === undefined ? sorted : `(SELECT * FROM ${sorted} WHERE ${conditionSql(spec, where)})`;
}

function conditionSql(spec: DatasetSpec, condition: RowCondition): string {
  // The line's end closes a comment that the text may end with.
  if (typeof condition === "string") return `(${condition}\n)`;
  return allOf(
    Object.entries(condition).map(([name, wanted]) => {
      const { published } = columnOf(spec, name);
      const cell = quoteName(published.name);
      const isPattern = typeof wanted === "object" && wanted !== null && "matches" in wanted;
      if (isPattern)
        return `regexp_matches(CAST(${cell} AS VARCHAR), ${quoteText(String(wanted["matches"]))})`;
      const values = (Array.isArray(wanted) ? wanted : [wanted]) as readonly (
        | string
        | number
        | boolean
        | null
      )[];
      return anyOf(
        values.map((value) => (value === null ? `${cell} IS NULL` : `${cell} = ${scalarSql(value)}`)),
      );
    }),
  );
}

const plain = { skipped: 0, problem: null, note: null } as const;

/** A rule that single rows keep or break; told are the key and the columns concerned. */
async function rowRule(
  { session, spec }: Bench,
  check: Readonly<{ where: RowCondition | undefined }>,
  found: Readonly<{ broken: string; columns: readonly string[]; skipped?: string }>,
): Promise<RuleFinding> {
  const rows = rowsOf(spec, check.where);
  const skipped = found.skipped ?? "false";
  const [counts] = await session.rows(
    `SELECT count(*) AS held, count(*) FILTER (WHERE ${skipped}) AS skipped,
       count(*) FILTER (WHERE ${found.broken}) AS failed FROM ${rows}`,
  );
  const failed = Number(counts!["failed"]);
  const names = [...new Set([...spec.key, ...found.columns])];
  const samples =
    failed === 0
      ? []
      : await session.rows(
          `SELECT ${jsonOf(shown(spec, names))} AS sample FROM ${rows} WHERE ${found.broken}
           ORDER BY ${names.map(quoteName).join(", ")}, sample LIMIT ${samplesMax}`,
        );
  return {
    ...plain,
    checked: Number(counts!["held"]) - Number(counts!["skipped"]),
    skipped: Number(counts!["skipped"]),
    failed,
    samples: readSamples(samples),
  };
}

/** A rule about the values of one column; nulls are skipped. */
async function valueRule(
  bench: Bench,
  check: Readonly<{ column: string; where: RowCondition | undefined }>,
  broken: (cell: string) => string,
): Promise<RuleFinding> {
  const cell = quoteName(check.column);
  return await rowRule(bench, check, {
    broken: `COALESCE(${broken(cell)}, false)`,
    columns: [check.column],
    skipped: `${cell} IS NULL`,
  });
}

const readSamples = (rows: readonly Readonly<Record<string, unknown>>[]): readonly JsonObject[] =>
  rows.map((row) => toObject(String(row["sample"])));

async function uniqueRule({ session, spec }: Bench, check: RuleOf<"unique">): Promise<RuleFinding> {
  const names = check.columns.map(quoteName);
  const rows = rowsOf(spec, check.where);
  const isNull = anyOf(names.map((name) => `${name} IS NULL`));
  const groups = `SELECT ${names.join(", ")}, count(*) AS _leat_rows FROM ${rows} WHERE NOT (${isNull}) GROUP BY ${names.join(", ")}`;
  const [counts] = await session.rows(
    `SELECT COALESCE(sum(_leat_rows), 0) AS held, count(*) FILTER (WHERE _leat_rows > 1) AS failed FROM (${groups})`,
  );
  const [nulls] = await session.rows(`SELECT count(*) AS held FROM ${rows} WHERE ${isNull}`);
  const object = jsonOf([
    ...shown(spec, check.columns),
    { name: "rows", sql: "_leat_rows", type: undefined },
  ]);
  const samples = await session.rows(
    `SELECT ${object} AS sample FROM (${groups}) WHERE _leat_rows > 1 ORDER BY ${names.join(", ")} LIMIT ${samplesMax}`,
  );
  return {
    ...plain,
    checked: Number(counts!["held"]),
    skipped: Number(nulls!["held"]),
    failed: Number(counts!["failed"]),
    samples: readSamples(samples),
  };
}

async function rowCountRule(
  { session }: Bench,
  check: RuleOf<"rowCount">,
  context: RuleContext,
): Promise<RuleFinding> {
  const [counted] = await session.rows(`SELECT count(*) AS held FROM ${sorted}`);
  const count = Number(counted!["held"]);
  const { min, max, changeShareMax } = check;
  const problems: string[] = [];
  const notes: string[] = [`${count} rows`];
  if (count < min) problems.push(`${count} rows are fewer than ${min}`);
  if (max !== undefined && count > max) problems.push(`${count} rows are more than ${max}`);
  if (changeShareMax !== undefined) {
    const { previousRows } = context;
    if (previousRows === undefined) notes.push("no version before to compare with");
    else {
      const share = Math.abs(count - previousRows) / Math.max(previousRows, 1);
      notes.push(`${previousRows} in the version before`);
      if (share > changeShareMax)
        problems.push(
          `${count} rows differ from the ${previousRows} of the version before by ${(share * 100).toFixed(1)} %, more than ${changeShareMax * 100} %`,
        );
    }
  }
  const problem = problems.length === 0 ? null : problems.join("; ");
  return { checked: count, skipped: 0, failed: 0, problem, note: notes.join("; "), samples: [] };
}

async function freshnessRule(
  { session, spec }: Bench,
  check: RuleOf<"freshness">,
  context: RuleContext,
): Promise<RuleFinding> {
  const cell = quoteName(check.column);
  const [row] = await session.rows(
    `SELECT count(${cell}) AS held, count(*) - count(${cell}) AS nulls, CAST(max(${cell}) AS VARCHAR) AS newest,
       epoch_ms(CAST(max(${cell}) AS TIMESTAMPTZ)) AS newest_ms FROM ${sorted}`,
  );
  const counts = { checked: Number(row!["held"]), skipped: Number(row!["nulls"]), failed: 0, samples: [] };
  if (row!["newest"] === null)
    return { ...counts, problem: `${check.column} holds no value in ${spec.name}`, note: null };
  const newest = String(row!["newest"]);
  const ageMs = context.nowMs - Number(row!["newest_ms"]);
  const days = (ms: number) => `${Math.round((ms / 86_400_000) * 10) / 10} days`;
  const isOld = ageMs > check.ageMsMax;
  const problem = isOld
    ? `the newest ${check.column} is ${newest}, ${days(ageMs)} ago; at most ${days(check.ageMsMax)} are allowed`
    : null;
  return { ...counts, problem, note: `newest ${check.column} ${newest}` };
}

async function sumsRule({ session, spec }: Bench, check: RuleOf<"sums">): Promise<RuleFinding> {
  const by = check.by.map(quoteName);
  const value = quoteName(check.value);
  const isTotal = `COALESCE(${conditionSql(spec, check.total)}, false)`;
  const isPart = `COALESCE(${conditionSql(spec, check.parts)}, false)`;
  const groups = `SELECT ${by.join(", ")},
      count(*) FILTER (WHERE ${isTotal}) AS _leat_totals, max(${value}) FILTER (WHERE ${isTotal}) AS _leat_total,
      count(*) FILTER (WHERE ${isPart}) AS _leat_parts, sum(${value}) FILTER (WHERE ${isPart}) AS _leat_sum,
      count(*) FILTER (WHERE ${value} IS NULL AND (${isTotal} OR ${isPart})) AS _leat_nulls
    FROM ${rowsOf(spec, check.where)} GROUP BY ${by.join(", ")}`;
  const concerned = "_leat_totals + _leat_parts > 0";
  const judged = "_leat_totals > 0 AND _leat_parts > 0 AND _leat_nulls = 0";
  const difference = "(_leat_total - _leat_sum)";
  const failed = `${judged} AND (_leat_totals > 1 OR abs(${difference}) > ${check.tolerance})`;
  const [counts] = await session.rows(
    `SELECT count(*) FILTER (WHERE ${judged}) AS held, count(*) FILTER (WHERE ${concerned} AND NOT (${judged})) AS skipped,
       count(*) FILTER (WHERE ${failed}) AS failed FROM (${groups})`,
  );
  const { type } = columnOf(spec, check.value);
  const object = jsonOf([
    ...shown(spec, check.by),
    { name: "total", sql: "_leat_total", type },
    { name: "sum of parts", sql: "_leat_sum", type },
    { name: "difference", sql: difference, type },
    { name: "parts", sql: "_leat_parts", type: undefined },
    { name: "totals", sql: "_leat_totals", type: undefined },
  ]);
  const samples = await session.rows(
    `SELECT ${object} AS sample FROM (${groups}) WHERE ${failed} ORDER BY ${by.join(", ")} LIMIT ${samplesMax}`,
  );
  const checked = Number(counts!["held"]);
  const isShort = checked < check.groupsMin;
  return {
    checked,
    skipped: Number(counts!["skipped"]),
    failed: Number(counts!["failed"]),
    problem: isShort
      ? `${checked === 0 ? "no group has" : `only ${checked} groups have`} both a total and parts; at least ${check.groupsMin} must`
      : null,
    note: `${checked} groups checked, ${Number(counts!["skipped"])} without a total, parts or a value`,
    samples: readSamples(samples),
  };
}

async function referencesRule(
  bench: Bench,
  check: RuleOf<"references">,
  context: RuleContext,
): Promise<RuleFinding> {
  const paths = await context.references(check.dataset);
  const isThere = check.columns
    .map((name, at) => `o.${quoteName(check.to[at]!)} = ${sorted}.${quoteName(name)}`)
    .join(" AND ");
  const names = check.columns.map(quoteName);
  const isNull = anyOf(names.map((name) => `${name} IS NULL`));
  const table = "_leat_referenced";
  await bench.session.run(
    `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT DISTINCT ${check.to.map(quoteName).join(", ")} FROM read_parquet(${quotePaths(paths)})`,
  );
  const where = check.where === undefined ? "true" : conditionSql(bench.spec, check.where);
  const lost = `SELECT ${sorted}.* FROM ${sorted} ANTI JOIN ${table} o ON ${isThere} WHERE ${where} AND NOT (${isNull})`;
  const [counts] = await bench.session.rows(
    `SELECT count(*) FILTER (WHERE NOT (${isNull})) AS held, count(*) FILTER (WHERE ${isNull}) AS skipped FROM ${rowsOf(bench.spec, check.where)}`,
  );
  const [failed] = await bench.session.rows(`SELECT count(*) AS held FROM (${lost})`);
  const samples = await bench.session.rows(
    `SELECT ${jsonOf(shown(bench.spec, check.columns))} AS sample, count(*) AS held FROM (${lost}) GROUP BY ALL ORDER BY ALL LIMIT ${samplesMax}`,
  );
  await bench.session.run(`DROP TABLE temp.${table}`);
  return {
    ...plain,
    checked: Number(counts!["held"]),
    skipped: Number(counts!["skipped"]),
    failed: Number(failed!["held"]),
    samples: samples.map((row) => ({ ...toObject(String(row["sample"])), rows: Number(row["held"]) })),
  };
}

async function sqlRule({ session, spec }: Bench, check: RuleOf<"sql">): Promise<RuleFinding> {
  const sql = `(${check.sql.replace(/;\s*$/, "")}\n)`;
  const [counts] = await session.rows(
    `SELECT count(*) AS failed, (SELECT count(*) FROM ${sorted}) AS held FROM ${sql}`,
  );
  const samples = await session.rows(
    `SELECT CAST(to_json(_leat_row) AS VARCHAR) AS sample FROM ${sql} AS _leat_row
     ORDER BY _leat_row LIMIT ${samplesMax}`,
  );
  return {
    ...plain,
    checked: Number(counts!["held"]),
    failed: Number(counts!["failed"]),
    note: `a query over ${spec.name}`,
    samples: readSamples(samples),
  };
}
