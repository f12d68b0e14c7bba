/**
 * GoogleSQL as DuckDB's SQL, for the fake: token by token, and only what leat writes. It shows that leat's SQL hangs
 * together with its protocol; that it is GoogleSQL is for the analyser and other emulators to say (`check:googlesql`,
 * `check:bigquery`).
 */

type Token = Readonly<{
  kind: "space" | "name" | "quoted" | "text" | "number" | "sign";
  text: string;
  value: string;
}>;

/** Where unqualified names lead. */
export type Defaults = Readonly<{ project: string; dataset: string | undefined }>;

/** A statement as the engine runs it. */
export type Statement = Readonly<{
  /** First words, upper case: `SELECT`, `CREATE TEMP FUNCTION`, `ASSERT`. */
  verb: string;
  sql: string;
  /** Of an ASSERT. */
  message?: string;
  /** Of a CREATE TABLE: the table made, its labels. */
  made?: Readonly<{ schema: string; table: string; labels: Readonly<Record<string, string>> }>;
}>;

/** The name of a dataset's schema in the engine. */
export const schemaOf = (project: string, dataset: string): string => `${project}.${dataset}`;

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (value: string) => {
  const parts = value.split("\0").map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? parts[0]! : `(${parts.join(" || chr(0) || ")})`;
};

const functionNames: Readonly<Record<string, string>> = {
  SAFE_CAST: "TRY_CAST",
  JSON_VALUE: "bq_json_value",
  JSON_QUERY: "bq_json_query",
  REGEXP_CONTAINS: "regexp_matches",
  REGEXP_EXTRACT: "bq_regexp_extract",
  REGEXP_REPLACE: "bq_regexp_replace",
  TIMESTAMP: "bq_timestamp",
  DATETIME: "bq_datetime",
  UNIX_MICROS: "epoch_us",
  UNIX_MILLIS: "epoch_ms",
  TIMESTAMP_MICROS: "make_timestamptz",
  FARM_FINGERPRINT: "bq_fingerprint",
  TO_JSON_STRING: "bq_to_json_string",
  IS_INF: "isinf",
  COUNTIF: "count_if",
  CURRENT_TIMESTAMP: "now",
};

const typeNames: Readonly<Record<string, string>> = {
  STRING: "VARCHAR",
  INT64: "BIGINT",
  FLOAT64: "DOUBLE",
  BOOL: "BOOLEAN",
  // Numbers stay text until they reach a column, whose type has room for them.
  NUMERIC: "VARCHAR",
  BIGNUMERIC: "VARCHAR",
  DATETIME: "TIMESTAMP",
  TIMESTAMP: "TIMESTAMPTZ",
};

const tokenPattern =
  /(?<space>\s+|--[^\n]*)|`(?<quoted>(?:[^`\\]|\\.)*)`|(?<raw>[rR]'[^']*')|(?<text>'(?:[^'\\]|\\.)*')|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<sign>\|\||<>|>=|<=|[^\s])/gsy;

function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const { 0: text, groups = {} } of sql.matchAll(tokenPattern)) {
    if (groups["space"] !== undefined) tokens.push({ kind: "space", text, value: text });
    else if (groups["quoted"] !== undefined)
      tokens.push({ kind: "quoted", text, value: groups["quoted"].replace(/\\(.)/gs, "$1") });
    else if (groups["raw"] !== undefined) tokens.push({ kind: "text", text, value: text.slice(2, -1) });
    else if (groups["text"] !== undefined)
      tokens.push({ kind: "text", text, value: unescapeText(text.slice(1, -1)) });
    else if (groups["number"] !== undefined) tokens.push({ kind: "number", text, value: text });
    else if (groups["name"] !== undefined) tokens.push({ kind: "name", text, value: text.toUpperCase() });
    else tokens.push({ kind: "sign", text, value: text });
  }
  return tokens;
}

function unescapeText(body: string): string {
  return body.replace(/\\(u([0-9a-fA-F]{4})|.)/gs, (_all, one: string, code: string | undefined) =>
    code === undefined ? (one === "n" ? "\n" : one) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Cuts a script into statements and translates each. */
export function translateScript(sql: string, defaults: Defaults): Statement[] {
  const statements: Token[][] = [[]];
  for (const token of tokenize(sql))
    if (token.text === ";") statements.push([]);
    else statements.at(-1)!.push(token);
  return withoutUnused(statements.filter((tokens) => tokens.some(({ kind }) => kind !== "space"))).map(
    (tokens) => translateStatement(tokens, defaults),
  );
}

/** Functions that no later statement names are not made: a script brings them all, and most need two of them. */
function withoutUnused(statements: readonly Token[][]): Token[][] {
  const named = new Set<string>();
  const kept = statements.toReversed().filter((tokens) => {
    const words = tokens.filter(({ kind }) => kind === "name").map(({ value }) => value);
    if (words.slice(0, 3).join(" ") === "CREATE TEMP FUNCTION" && !named.has(words[3]!)) return false;
    for (const word of words) named.add(word);
    return true;
  });
  return kept.reverse();
}

function translateStatement(tokens: readonly Token[], defaults: Defaults): Statement {
  const words = tokens.filter(({ kind }) => kind !== "space");
  const verb = words.slice(0, 4).map(({ value }) => value);
  if (verb[0] === "ASSERT") {
    const message = words.at(-1)!.value;
    const end = tokens.lastIndexOf(words.at(-2)!);
    return {
      verb: "ASSERT",
      message,
      sql: `SELECT ${translate(tokens.slice(tokens.indexOf(words[1]!), end), defaults)}`,
    };
  }
  if (verb.join(" ").startsWith("CREATE TEMP FUNCTION"))
    return { verb: "CREATE TEMP FUNCTION", sql: macro(tokens, defaults) };
  if (verb.join(" ") === "CREATE OR REPLACE TABLE") return makeTable(tokens, defaults);
  return { verb: verb[0]!, sql: translate(tokens, defaults) };
}

/** `CREATE TEMP FUNCTION f(a STRING) RETURNS T AS (…)` as a macro, which takes anything and gives what comes out. */
function macro(tokens: readonly Token[], defaults: Defaults): string {
  const words = tokens.filter(({ kind }) => kind !== "space");
  const open = tokens.findIndex(({ text }) => text === "(");
  const close = closing(tokens, open);
  const args = tokens.slice(open + 1, close).filter(({ kind }) => kind === "name");
  const names = args.filter((_token, at) => at % 2 === 0).map(({ text }) => text);
  const body = tokens.findIndex(({ text }, at) => at > close && text === "(");
  return `CREATE TEMP MACRO ${words[3]!.text}(${names.join(", ")}) AS ${translate(tokens.slice(body), defaults)}`;
}

/** `CREATE OR REPLACE TABLE t CLUSTER BY … OPTIONS (…) AS SELECT …`. */
function makeTable(tokens: readonly Token[], defaults: Defaults): Statement {
  const nameAt = tokens.findIndex(({ kind }) => kind === "quoted");
  const { path, end } = readPath(tokens, nameAt);
  const [schema, table] = resolve(path, defaults);
  const optionsAt = tokens.findIndex(({ value }) => value === "OPTIONS");
  const optionsEnd = closing(
    tokens,
    tokens.findIndex(({ text }, at) => at > optionsAt && text === "("),
  );
  const texts = tokens
    .slice(optionsAt, optionsEnd)
    .filter(({ kind }) => kind === "text")
    .map(({ value }) => value);
  const labels: Record<string, string> = {};
  for (let at = 0; at + 1 < texts.length; at += 2) labels[texts[at]!] = texts[at + 1]!;
  const asAt = tokens.findIndex(({ value }, at) => at > Math.max(end, optionsEnd) && value === "AS");
  const sql = `CREATE OR REPLACE TABLE ${quote(schema!)}.${quote(table!)} AS ${translate(tokens.slice(asAt + 1), defaults)}`;
  return { verb: "CREATE TABLE", sql, made: { schema: schema!, table: table!, labels } };
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if ("([".includes(tokens[at]!.text)) depth += 1;
    if (")]".includes(tokens[at]!.text)) depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error("Syntax error: Expected )");
}

function readPath(tokens: readonly Token[], start: number): { path: string[]; end: number } {
  const path: string[] = [];
  let at = start;
  for (;;) {
    const token = tokens[at];
    if (token === undefined || (token.kind !== "name" && token.kind !== "quoted")) break;
    path.push(...(token.kind === "quoted" ? token.value.split(".") : [token.text]));
    at += 1;
    if (tokens[at]?.text !== ".") break;
    at += 1;
  }
  return { path, end: at };
}

function resolve(path: readonly string[], defaults: Defaults): string[] {
  if (path.length === 1) return [path[0]!];
  const [project, dataset, table] = path.length === 3 ? path : [defaults.project, ...path];
  return [schemaOf(project!, dataset!), table!];
}

const beforeTables: ReadonlySet<string> = new Set(["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "VIEW"]);

function translate(tokens: readonly Token[], defaults: Defaults): string {
  let out = "";
  let previous: Token | undefined;
  let beforePrevious: Token | undefined;
  const next = (from: number) => tokens.slice(from).find(({ kind }) => kind !== "space");
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!;
    if (token.kind === "space") {
      out += token.text;
      continue;
    }
    const isTable =
      previous?.kind === "name" &&
      beforeTables.has(previous.value) &&
      token.value !== "SET" && // MERGE … THEN UPDATE SET
      !(previous.value === "FROM" && beforePrevious?.value === "DISTINCT") &&
      (token.kind === "quoted" || (token.kind === "name" && next(at + 1)?.text !== "("));
    const follows = next(at + 1)?.text;
    if (isTable) {
      const { path, end } = readPath(tokens, at);
      out += resolve(path, defaults).map(quote).join(".");
      at = end - 1;
    } else if (token.value === "UNNEST" && follows === "(") {
      const open = tokens.findIndex(({ text }, index) => index > at && text === "(");
      const close = closing(tokens, open);
      out += `(SELECT UNNEST(${translate(tokens.slice(open + 1, close), defaults)}, recursive := true))`;
      at = close;
    } else if (token.value === "STRUCT" && follows === "(") {
      const open = tokens.findIndex(({ text }, index) => index > at && text === "(");
      const close = closing(tokens, open);
      out += `{${struct(tokens.slice(open + 1, close), defaults)}}`;
      at = close;
    } else out += translateToken(token, previous, beforePrevious, follows);
    beforePrevious = previous;
    previous = token;
  }
  return out;
}

function translateToken(
  token: Token,
  previous: Token | undefined,
  before: Token | undefined,
  follows: string | undefined,
): string {
  switch (token.kind) {
    case "quoted":
      return quote(token.value);
    case "text":
      return literal(token.value);
    case "name":
      if (previous?.value === "AS" && follows === ")" && typeNames[token.value] !== undefined)
        return typeNames[token.value]!;
      if (previous?.text !== "." && follows === "(" && functionNames[token.value] !== undefined)
        return functionNames[token.value]!;
      if (token.value === "EXCEPT" && previous?.text === "*") return "EXCLUDE";
      if (token.value === "DISTINCT" && previous?.value === "UNION") return "";
      if (token.value === "TRANSACTION" && previous?.value === "COMMIT" && before === undefined) return "";
      return token.text;
    default:
      return token.text;
  }
}

function struct(tokens: readonly Token[], defaults: Defaults): string {
  const fields: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if ("([".includes(token.text)) depth += 1;
    if (")]".includes(token.text)) depth -= 1;
    if (token.text === "," && depth === 0) fields.push([]);
    else fields.at(-1)!.push(token);
  }
  return fields
    .map((field) => {
      const words = field.filter(({ kind }) => kind !== "space");
      const name = words.at(-1)!;
      const value = field.slice(0, field.lastIndexOf(words.at(-2)!));
      return `${literal(name.kind === "quoted" ? name.value : name.text)}: ${translate(value, defaults)}`;
    })
    .join(", ");
}
