/**
 * One statement that only reads: in a read-only transaction, for a bounded time, with no more rows than asked for.
 *
 * It goes to the server as a cursor by the extended protocol, which takes one statement and nothing after it; so no
 * text can end the transaction and begin another.
 */
import type pg from "pg";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { QueryResult } from "../../ports/warehouse.ts";
import { firstLine, isConnectionLost, toServerError } from "./postgres-errors.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { toPlainValue } from "./query-values.ts";

/** Rows fetched at once. */
const batchRows = 10_000;

const cursorName = "_leat_query";

/** What shows things without being a query; a cursor takes none of it. */
const showPattern = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(?:explain|show)\b/i;

/**
 * Asks.
 *
 * @throws LeatError `QUERY_FAILED` with the engine's words.
 */
export async function queryRows(
  session: PostgresSession,
  sql: string,
  rowsMax: number,
): Promise<QueryResult> {
  try {
    if (showPattern.test(sql)) return await readAnswer(session, await ask(session, sql), rowsMax);
    await ask(session, `DECLARE ${cursorName} NO SCROLL CURSOR FOR ${sql}`);
    let fetched = await ask(session, `FETCH ${Math.min(rowsMax, batchRows)} FROM ${cursorName}`);
    const rows = [...fetched.rows];
    while (fetched.rows.length === batchRows && rows.length < rowsMax) {
      fetched = await ask(session, `FETCH ${Math.min(rowsMax - rows.length, batchRows)} FROM ${cursorName}`);
      for (const row of fetched.rows) rows.push(row);
    }
    return await readAnswer(session, { ...fetched, rows }, rowsMax);
  } catch (error) {
    throw toQueryError(error);
  }
}

/** What the server has answered: values as its text. */
export type Answer = Readonly<{
  fields: readonly pg.FieldDef[];
  rows: readonly (readonly (string | null)[])[];
}>;

/** Sends one statement, and nothing after it. */
export async function ask({ client }: PostgresSession, text: string): Promise<Answer> {
  // The types of the client lack `queryMode`, with which a statement without values is sent as one.
  const config: pg.QueryArrayConfig & { queryMode: "extended" } = {
    text,
    rowMode: "array",
    queryMode: "extended",
  };
  const { fields, rows } = await client.query<(string | null)[]>(config);
  return { fields, rows };
}

/** Names and types of an answer's columns. */
export async function describeFields(
  session: PostgresSession,
  fields: Answer["fields"],
): Promise<QueryResult["columns"]> {
  const named =
    fields.length === 0
      ? []
      : await session.rows(
          `SELECT format_type(type, modifier) AS name FROM unnest(ARRAY[${fields.map((field) => field.dataTypeID)}]::oid[], ` +
            `ARRAY[${fields.map((field) => field.dataTypeModifier)}]::integer[]) WITH ORDINALITY AS t(type, modifier, place) ORDER BY place`,
        );
  return fields.map(({ name }, at) => ({ name, type: named[at]?.["name"] ?? "" }));
}

async function readAnswer(
  session: PostgresSession,
  { fields, rows }: Answer,
  rowsMax: number,
): Promise<QueryResult> {
  const columns = await describeFields(session, fields);
  const plain = rows
    .slice(0, rowsMax)
    .map((row) =>
      row.map((value, at) =>
        value === null ? null : toPlainValue(value, fields[at]!.dataTypeID, fields[at]!.dataTypeModifier),
      ),
    );
  return { columns, rows: plain };
}

/** What the server says of a query, as an error of leat's. */
export function toQueryError(error: unknown): unknown {
  if (isLeatError(error) || isConnectionLost(error)) return error;
  const said = toServerError(error);
  const code = said.code ?? "";
  if (!("severity" in said) || code === "55P03" || code.startsWith("57P")) return error;
  const isWrite = code === "25006" || (code === "42601" && /^syntax error/.test(said.message));
  const isLate = code === "57014";
  // Without the cause: its words are told here entirely, and would be told twice.
  return new LeatError("QUERY_FAILED", {
    message: firstLine(said.message),
    hint: isLate
      ? "The statement took longer than it may: narrow it down, or ask the server directly."
      : (said.hint ??
        (isWrite
          ? "A query is one statement that only reads: select, with, values, table, show or explain."
          : "Compare the statement with what Postgres documents.")),
  });
}
