/** Quality rules as people write them, and as builds run them. */
import { z } from "zod";
import { type Fault, faultsOf } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { DatasetRule, RowCondition, RuleCheck } from "../ports/dataset.ts";
import { toEnginePattern } from "./define-dataset-patterns.ts";

/**
 * Rows that a rule is about: SQL over the dataset's columns (`"geo_code LIKE 'E12%'"`), or values by column: one, a
 * list of which any will do, `null`, or a pattern that is found in the value.
 */
export type ConditionDeclaration =
  | string
  | Readonly<
      Record<
        string,
        null | string | number | boolean | RegExp | readonly (string | number | boolean | null)[]
      >
    >;

/** What every rule takes. */
export type RuleOptions = Readonly<{
  /** What people call the rule. Default: made of what it looks at. */
  name?: string;
  /** `error` (default): rows that break it are not published. `warn`: they are told. */
  severity?: "error" | "warn";
}>;

type Where = Readonly<{
  /** Only these rows. Default: all. */
  where?: ConditionDeclaration;
}>;

/** A quality rule. */
export type RuleDeclaration = RuleOptions &
  (
    | (Readonly<{ rule: "notNull"; columns: string | readonly string[] }> & Where)
    /** Rows with a null in one of the columns are not compared. */
    | (Readonly<{ rule: "unique"; columns: string | readonly string[] }> & Where)
    | (Readonly<{ rule: "acceptedValues"; column: string; values: readonly (string | number | boolean)[] }> &
        Where)
    /** Both ends included; dates and times as ISO text. */
    | (Readonly<{ rule: "range"; column: string; min?: number | string; max?: number | string }> & Where)
    | (Readonly<{ rule: "matches"; column: string; pattern: RegExp }> & Where)
    /** `min`: default 1. `changeShareMax`: greatest change against the version before, as a share of its rows. */
    | Readonly<{ rule: "rowCount"; min?: number; max?: number; changeShareMax?: number }>
    /** The newest value of a date or time column is at most so old: `"45d"`, `"36h"`. */
    | Readonly<{ rule: "freshness"; column: string; maxAge: string }>
    /**
     * In each group of equal values of `by`, `value` of the one row that `total` finds is the sum over the rows that
     * `parts` finds. Groups without either, or with a null in a value, are not checked, and counted.
     */
    | (Readonly<{
        rule: "sums";
        by: string | readonly string[];
        value: string;
        total: ConditionDeclaration;
        parts: ConditionDeclaration;
        /** Greatest difference that is none. Default 0. */
        tolerance?: number;
        /** Groups that must have been checked. Default 1: a rule that finds nothing to check fails. 0: it may. */
        groupsMin?: number;
      }> &
        Where)
    /** Values exist in the newest version of another dataset; rows with a null in one of the columns are left out. */
    | (Readonly<{
        rule: "references";
        columns: string | readonly string[];
        dataset: string;
        /** Its columns. Default: the same names. */
        to?: string | readonly string[];
      }> &
        Where)
    /** A query over the dataset, by its name, that returns the offending rows. */
    | Readonly<{ rule: "sql"; sql: string }>
  );

/** Rules of one dataset: a hundred are a rule book, a thousand a mistake. */
const rulesMax = 1000;

const text = z.string().min(1, "must not be empty");
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const names = z
  .union([text, z.array(text).min(1)])
  .transform((value) => (typeof value === "string" ? [value] : value));
const expression = z.custom<RegExp>((value) => value instanceof RegExp, "is no RegExp");
const condition = z.union([
  text,
  z.record(text, z.union([scalar, z.null(), expression, z.array(z.union([scalar, z.null()])).min(1)])),
]);
const shared = { name: text.optional(), severity: z.enum(["error", "warn"]).default("error") };
const where = condition.optional();
const count = z.int().min(0);
const bound = z.union([z.number(), text]).transform(String).optional();

const ruleSchema = z.discriminatedUnion("rule", [
  z.strictObject({ ...shared, rule: z.literal("notNull"), columns: names, where }),
  z.strictObject({ ...shared, rule: z.literal("unique"), columns: names, where }),
  z.strictObject({
    ...shared,
    rule: z.literal("acceptedValues"),
    column: text,
    values: z.array(scalar).min(1),
    where,
  }),
  z.strictObject({ ...shared, rule: z.literal("range"), column: text, min: bound, max: bound, where }),
  z.strictObject({ ...shared, rule: z.literal("matches"), column: text, pattern: expression, where }),
  z.strictObject({
    ...shared,
    rule: z.literal("rowCount"),
    min: count.default(1),
    max: count.optional(),
    changeShareMax: z.number().min(0).optional(),
  }),
  z.strictObject({ ...shared, rule: z.literal("freshness"), column: text, maxAge: text }),
  z.strictObject({
    ...shared,
    rule: z.literal("sums"),
    by: names,
    value: text,
    total: condition,
    parts: condition,
    tolerance: z.number().min(0).default(0),
    groupsMin: count.default(1),
    where,
  }),
  z.strictObject({
    ...shared,
    rule: z.literal("references"),
    columns: names,
    dataset: text,
    to: names.optional(),
    where,
  }),
  z.strictObject({ ...shared, rule: z.literal("sql"), sql: text }),
]);

type ParsedRule = z.output<typeof ruleSchema>;
type ParsedCondition = z.output<typeof condition>;

/** Reads the rules; faults name them by place. */
export function readRules(
  declared: unknown,
  columns: readonly string[],
): Readonly<{ rules: readonly DatasetRule[]; faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  const rules: DatasetRule[] = [];
  if (!Array.isArray(declared) || declared.length > rulesMax) {
    return { rules, faults: [{ path: "rules", problem: `must be a list of at most ${rulesMax} rules` }] };
  }
  for (const [index, rule] of declared.entries()) {
    const path = `rules[${index}]`;
    const parsed = ruleSchema.safeParse(rule);
    if (!parsed.success) {
      faults.push(...faultsOf(parsed.error).map((fault) => ({ ...fault, path: `${path}.${fault.path}` })));
      continue;
    }
    const problems: string[] = [];
    const check = readCheck(parsed.data, problems);
    problems.push(...unknownColumns(parsed.data, columns));
    faults.push(...problems.map((problem) => ({ path, problem })));
    const name = parsed.data.name ?? describeCheck(check);
    if (rules.some((other) => other.name === name))
      faults.push({ path, problem: `is the second rule called "${name}"; give one of them a name` });
    rules.push({ name, severity: parsed.data.severity, check });
  }
  return { rules, faults };
}

function readCheck(rule: ParsedRule, problems: string[]): RuleCheck {
  const read = (declared: ParsedCondition): RowCondition => readCondition(declared, problems);
  const readWhere = (declared: ParsedCondition | undefined) =>
    declared === undefined ? undefined : read(declared);
  switch (rule.rule) {
    case "notNull":
    case "unique":
      return { rule: rule.rule, columns: rule.columns, where: readWhere(rule.where) };
    case "acceptedValues":
      return { rule: rule.rule, column: rule.column, values: rule.values, where: readWhere(rule.where) };
    case "range":
      if (rule.min === undefined && rule.max === undefined) problems.push("has neither min nor max");
      return {
        rule: rule.rule,
        column: rule.column,
        min: rule.min,
        max: rule.max,
        where: readWhere(rule.where),
      };
    case "matches":
      return {
        rule: rule.rule,
        column: rule.column,
        pattern: readPattern(rule.pattern, problems),
        where: readWhere(rule.where),
      };
    case "rowCount": {
      const { min, max, changeShareMax } = rule;
      if (max !== undefined && max < min) problems.push(`has a max of ${max}, below its min of ${min}`);
      return { rule: rule.rule, min, max, changeShareMax };
    }
    case "freshness": {
      const ageMsMax = readSpan(rule.maxAge);
      if (ageMsMax === undefined)
        problems.push(`has the maxAge "${rule.maxAge}"; write it as 90m, 36h, 45d or 2w`);
      return { rule: rule.rule, column: rule.column, ageMsMax: ageMsMax ?? 0 };
    }
    case "sums":
      return {
        rule: rule.rule,
        by: rule.by,
        value: rule.value,
        total: read(rule.total),
        parts: read(rule.parts),
        tolerance: rule.tolerance,
        where: readWhere(rule.where),
        groupsMin: rule.groupsMin,
      };
    case "references": {
      const to = rule.to ?? rule.columns;
      if (to.length !== rule.columns.length)
        problems.push(`compares ${rule.columns.length} columns with ${to.length}`);
      return {
        rule: rule.rule,
        columns: rule.columns,
        dataset: rule.dataset,
        to,
        where: readWhere(rule.where),
      };
    }
    case "sql":
      return { rule: rule.rule, sql: rule.sql };
  }
}

function readPattern(declared: RegExp, problems: string[]): string {
  const translated = toEnginePattern(declared);
  if ("pattern" in translated) return translated.pattern;
  problems.push(`has the pattern ${declared}, which needs ${translated.refused}: SQL cannot run it`);
  return "";
}

function readCondition(declared: ParsedCondition, problems: string[]): RowCondition {
  if (typeof declared === "string") return declared;
  const entries = Object.entries(declared).map(([column, wanted]): [string, JsonValue] => [
    column,
    wanted instanceof RegExp ? { matches: readPattern(wanted, problems) } : wanted,
  ]);
  return Object.fromEntries(entries) as RowCondition; // `matches` is the only object among the values.
}

const spanMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

function readSpan(declared: string): number | undefined {
  const match = /^(\d{1,6})([mhdw])$/.exec(declared);
  return match === null ? undefined : Number(match[1]) * spanMs[match[2]!]!;
}

/** Columns that a rule names and the dataset has not. What stands in SQL, the engine finds. */
function unknownColumns(rule: ParsedRule, columns: readonly string[]): string[] {
  const ofCondition = (declared: ParsedCondition | undefined): string[] =>
    declared === undefined || typeof declared === "string" ? [] : Object.keys(declared);
  const named = [
    ...("columns" in rule ? rule.columns : []),
    ...("column" in rule ? [rule.column] : []),
    ...("where" in rule ? ofCondition(rule.where) : []),
    ...(rule.rule === "sums"
      ? [...rule.by, rule.value, ...ofCondition(rule.total), ...ofCondition(rule.parts)]
      : []),
  ];
  return [...new Set(named)]
    .filter((name) => !columns.includes(name))
    .map((name) => `names "${name}", which is no column. ${hintOfKnown(name, "columns", columns)}`);
}

/** A rule's name where it was given none. */
function describeCheck(check: RuleCheck): string {
  switch (check.rule) {
    case "notNull":
      return `${check.columns.join(", ")} not null`;
    case "unique":
      return `${check.columns.join(", ")} unique`;
    case "acceptedValues":
      return `${check.column} has accepted values`;
    case "range":
      return `${check.column} in range`;
    case "matches":
      return `${check.column} matches`;
    case "rowCount":
      return "row count";
    case "freshness":
      return `${check.column} is fresh`;
    case "sums":
      return `sums of ${check.value} by ${check.by.join(", ")}`;
    case "references":
      return `${check.columns.join(", ")} in ${check.dataset}`;
    case "sql":
      return `sql: ${check.sql.replace(/\s+/g, " ").slice(0, 60)}`;
  }
}
