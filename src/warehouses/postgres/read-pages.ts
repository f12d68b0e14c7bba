/**
 * Rows of a query in pages, for datasets that are made of it: by a cursor in one read-only transaction, so that all of
 * them are of one snapshot, and no more than a page of them is in memory.
 */
import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { QueryPage } from "../../ports/warehouse.ts";
import { type PostgresSession, type PostgresSettings, withPostgres } from "./postgres-session.ts";
import { type Answer, ask, describeFields, toQueryError } from "./query-rows.ts";
import { quoteName } from "./sql-text.ts";

/** Text of one page, UTF-16 units: large enough that asking costs nothing, small enough for any machine. */
const pageChars = 4 * 1024 * 1024;
/** Rows of one page, and of the first, whose width nobody knows yet. */
const pageRows = { most: 10_000, first: 100 } as const;

const cursorName = "_leat_pages";
const boolOid = 16;

/**
 * Reads pages, at least one. Whoever stops reading ends the transaction.
 *
 * @throws LeatError `QUERY_FAILED` with the engine's words; what {@link withPostgres} throws.
 */
export async function* readPages(
  settings: PostgresSettings,
  sql: string,
  signal: AbortSignal,
): AsyncGenerator<QueryPage> {
  const left = new AbortController();
  const stop = AbortSignal.any([signal, left.signal]);
  const pages = new PassThrough({ objectMode: true, highWaterMark: 1 });
  const work = withPostgres(settings, "query", stop, async (session) => {
    for await (const page of fetchPages(session, sql))
      if (!pages.write(page)) await once(pages, "drain", { signal: stop });
  });
  const ended = work.then(
    () => void pages.end(),
    (error: Error) => void pages.destroy(error),
  );
  try {
    yield* pages as AsyncIterable<QueryPage>; // Written above.
  } finally {
    left.abort();
    await ended;
  }
}

async function* fetchPages(session: PostgresSession, sql: string): AsyncGenerator<QueryPage> {
  try {
    const fields = await declareCursor(session, sql);
    const columns = await describeFields(session, fields);
    const isBoolean = fields.map(({ dataTypeID }) => dataTypeID === boolOid);
    let count: number = pageRows.first;
    for (let isFirst = true; ; isFirst = false) {
      const { rows } = await ask(session, `FETCH ${count} FROM ${cursorName}`);
      if (rows.length === 0 && !isFirst) return;
      let chars = 0;
      for (const row of rows) for (const cell of row) chars += cell?.length ?? 0;
      yield { columns, rows: rows.map((row) => row.map((cell, at) => toCell(cell, isBoolean[at] === true))) };
      if (rows.length < count) return;
      count = Math.min(
        pageRows.most,
        Math.max(1, Math.floor((rows.length * pageChars) / Math.max(1, chars))),
      );
    }
  } catch (error) {
    throw toQueryError(error);
  }
}

/** The server's own text is a form that columns are read from, but for booleans. */
const toCell = (text: string | null, isBoolean: boolean): string | null =>
  !isBoolean || text === null ? text : text === "t" ? "true" : "false";

/** Opens the cursor. Lists and rows within rows are printed by the server as JSON, which their own text is not. */
async function declareCursor(session: PostgresSession, sql: string): Promise<Answer["fields"]> {
  const declare = async (query: string): Promise<Answer["fields"]> => {
    await ask(session, `DECLARE ${cursorName} NO SCROLL CURSOR FOR ${query}`);
    return (await ask(session, `FETCH 0 FROM ${cursorName}`)).fields;
  };
  const fields = await declare(sql);
  const nested = await findNested(session, fields);
  if (nested.size === 0) return fields;
  await ask(session, `CLOSE ${cursorName}`);
  const cells = fields.map(({ dataTypeID }, at) => (nested.has(dataTypeID) ? `to_jsonb(c${at})` : `c${at}`));
  const named = fields.map(({ name }, at) => `${cells[at]} AS ${quoteName(name)}`);
  const all = fields.map((_, at) => `c${at}`);
  // Columns by their place: two may have one name.
  return await declare(`SELECT ${named.join(", ")} FROM (\n${sql}\n) AS q (${all.join(", ")})`);
}

/** Types of lists and of rows; `record` is a row that has no type of its own. */
async function findNested(session: PostgresSession, fields: Answer["fields"]): Promise<ReadonlySet<number>> {
  const types = [...new Set(fields.map(({ dataTypeID }) => dataTypeID))];
  if (types.length === 0) return new Set();
  const rows = await session.rows(
    `SELECT oid FROM pg_catalog.pg_type WHERE (typcategory IN ('A', 'C') OR typname IN ('record', '_record')) AND oid IN (${types.join(", ")})`,
  );
  return new Set(rows.map(({ oid }) => Number(oid)));
}
