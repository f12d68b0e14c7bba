/**
 * What leat sent to BigQuery, analysed statement by statement, in the order of sending: tables and views become known
 * when they are made, functions and temporary tables within their script.
 */
import type { Exchange } from "../../test/fakes/bigquery/bigquery-server.ts";
import type { AnalysedColumn, AnalysedFunction, AnalysedTable, Analyser } from "./analyser.ts";

/** A statement that the analyser does not take. */
export type Finding = Readonly<{ sql: string; message: string }>;
/** What was looked at. */
export type Analysis = { statements: number; findings: Finding[] };

type Body = Readonly<{
  tableReference?: { tableId: string };
  schema?: { fields: readonly { name: string; type: string }[] };
  view?: { query: string };
  configuration?: { dryRun?: boolean; query?: { query: string } };
}>;

/**
 * Analyses exchanges. Statements that were asked for by somebody, and not made by leat, are known by their dry run.
 *
 * @param isAsked - whether those are analysed as well.
 */
export async function analyseExchanges(
  analyser: Analyser,
  exchanges: readonly Exchange[],
  seen: Set<string>,
  isAsked = false,
): Promise<Analysis> {
  const analysis: Analysis = { statements: 0, findings: [] };
  const tables = new Map<string, AnalysedTable>();
  const asked = new Set<string>();
  const analyse = async (
    sql: string,
    scripted: { tables: AnalysedTable[]; functions: AnalysedFunction[] },
  ) => {
    const catalog = { tables: [...tables.values(), ...scripted.tables], functions: scripted.functions };
    const key = `${sql} ${JSON.stringify(catalog.tables.filter(({ path }) => sql.includes(path.at(-1)!)))}`;
    if (!seen.has(key)) analysis.statements += 1;
    try {
      return await analyser.analyse(sql, catalog);
    } catch (error) {
      if (!seen.has(key))
        analysis.findings.push({ sql, message: error instanceof Error ? error.message : String(error) });
      return [];
    } finally {
      seen.add(key);
    }
  };
  for (const { method, path, body } of exchanges) {
    const match =
      /^\/bigquery\/v2\/projects\/([^/]+)\/(?:datasets\/([^/]+)\/tables(?:\/([^/]+))?|jobs)$/.exec(path);
    if (match === null || (method !== "POST" && method !== "PATCH")) continue;
    const { tableReference, schema, view, configuration } = (body ?? {}) as Body;
    const [, project = "", dataset, named] = match;
    const table = tableReference?.tableId ?? named;
    if (dataset !== undefined && table !== undefined) {
      const place = [project, dataset, table];
      const columns =
        view === undefined
          ? schema?.fields.map(toColumn)
          : await analyse(view.query, { tables: [], functions: [] });
      if (columns !== undefined) tables.set(place.join("."), { path: place, columns });
      continue;
    }
    const sql = configuration?.query?.query;
    if (sql === undefined) continue;
    if (configuration?.dryRun === true && !isAsked) asked.add(sql);
    else if (!asked.has(sql)) await analyseScript(sql, tables, analyse);
  }
  return analysis;
}

async function analyseScript(
  sql: string,
  tables: Map<string, AnalysedTable>,
  analyse: (
    sql: string,
    scripted: { tables: AnalysedTable[]; functions: AnalysedFunction[] },
  ) => Promise<readonly AnalysedColumn[]>,
): Promise<void> {
  const scripted: { tables: AnalysedTable[]; functions: AnalysedFunction[] } = { tables: [], functions: [] };
  for (const statement of cutScript(sql)) {
    const columns = await analyse(statement, scripted);
    const temporary = /^CREATE TEMP TABLE (\w+) AS/.exec(statement)?.[1];
    if (temporary !== undefined) scripted.tables.push({ path: [temporary], columns });
    const made = /^CREATE OR REPLACE TABLE `([^`]+)`\.`([^`]+)`\.`([^`]+)`/.exec(statement);
    if (made !== null) tables.set(made.slice(1).join("."), { path: made.slice(1), columns });
    const declared = /^CREATE TEMP FUNCTION (\w+)\(([^)]*)\) RETURNS (\w+)/.exec(statement);
    if (declared !== null) {
      const [, name = "", list = "", returned = ""] = declared;
      const argumentKinds = list.split(",").map((one) => kindOf(one.trim().split(" ")[1]!));
      scripted.functions.push({ name, argumentKinds, returnKind: kindOf(returned) });
    }
  }
}

/** Statements of a script: cut at semicolons outside of texts and names. */
function cutScript(sql: string): string[] {
  const pieces = sql.match(/(?:r'[^']*'|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[^;'`])+/gs) ?? [];
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== "");
}

const kinds: Readonly<Record<string, string>> = {
  FLOAT64: "DOUBLE",
  FLOAT: "DOUBLE",
  INTEGER: "INT64",
  BOOLEAN: "BOOL",
};
const kindOf = (type: string): string => kinds[type] ?? type;
const toColumn = ({ name, type }: { name: string; type: string }): AnalysedColumn => ({
  name,
  kind: kindOf(type),
});
