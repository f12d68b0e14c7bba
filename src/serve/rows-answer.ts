/** Pages of rows: from the pack where binary search finds them, else their numbers from the engine. */
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FileQuery, RowsPage } from "../ports/dataset-query.ts";
import { chooseFormat } from "./answer-format.ts";
import { type ApiAnswer, headerOf } from "./api-answer.ts";
import type { ApiAsk } from "./api-ask.ts";
import { QueryReader } from "./api-parameter.ts";
import { toBytes } from "./column-value.ts";
import type { DatasetView } from "./dataset-view.ts";
import { answerUnchanged, finishAnswer, tagAnswer } from "./finish-answer.ts";
import { checkCursor, type PageCursor, sealCursor } from "./page-cursor.ts";
import { openRowPrinter, printRows } from "./print-rows.ts";
import { Problem } from "./problem.ts";
import { parseQueryString } from "./query-string.ts";
import { countRows, readRows, searchRows } from "./row-search.ts";
import {
  pageRows,
  readSelection,
  rowsParameterNames,
  type SelectionRequest,
  skippedRows,
} from "./rows-request.ts";
import type { ServeContext } from "./serve-context.ts";

/** Formats of rows and groups; the first is given where anything is welcome. */
export const tableFormats = ["json", "ndjson", "csv", "parquet", "arrow"] as const;

/** A page: its rows, how many there are in all, and where the next one begins. */
type Page = Readonly<{ rows: ArrayLike<number>; total: number; nextAt: number | undefined }>;

type PageRequest = SelectionRequest & RowsPage;

/**
 * Answers `/datasets/{name}/rows`.
 *
 * @param cursor - as the request has it, opened; its version is the view's.
 */
export function answerRows(
  context: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  cursor: PageCursor | undefined,
): ApiAnswer | Promise<ApiAnswer> {
  const format = chooseFormat(ask.ending, headerOf(ask.request, "accept"), tableFormats);
  const tagged = tagAnswer(ask, context.apiTag, view.short, format);
  const unchanged = answerUnchanged(ask, tagged);
  if (unchanged !== undefined) return unchanged;
  const wanted = readRequest(view, ask, cursor);
  const page = findInPack(view, wanted) ?? findByEngine(context, view, wanted, ask);
  const finish = (found: Page, body: string | Uint8Array): ApiAnswer | Promise<ApiAnswer> =>
    finishAnswer(ask, tagged, body, {
      cache: context.cache,
      headers: pageHeaders(context, view, ask, wanted, found),
    });
  const print = (found: Page): ApiAnswer | Promise<ApiAnswer> =>
    format === "parquet" || format === "arrow"
      ? fileOfRows(context, view, wanted, format, ask).then((body) => finish(found, body))
      : finish(found, printPage(context, view, ask, wanted, found, format));
  return page instanceof Promise ? page.then(print) : print(page);
}

function readRequest(view: DatasetView, ask: ApiAsk, cursor: PageCursor | undefined): PageRequest {
  const reader = new QueryReader(parseQueryString(ask.query));
  const isNext = reader.one("cursor") !== undefined;
  const limit = reader.count("limit", pageRows);
  const skip = reader.count("offset", skippedRows);
  if (isNext && skip > 0)
    throw new Problem("invalid-parameter", {
      detail: "A cursor says already where the page begins: leave the offset out.",
      parameter: "offset",
    });
  const wanted = readSelection(view, reader, rowsParameterNames);
  if (cursor !== undefined) checkCursor(cursor, wanted.query);
  return { ...wanted, limit, skip, afterRow: cursor?.at };
}

/** In the version's own order a row's number is its place, and the page goes on behind it. */
function findInPack(view: DatasetView, { selection, limit, skip, afterRow }: PageRequest): Page | undefined {
  if (selection.sort.length > 0) return undefined;
  const order = { columns: view.manifest.schema.sort, rows: undefined };
  const range = searchRows(view.pack, order, selection.filters);
  if (range === undefined) return undefined;
  const rows = readRows(range, afterRow === undefined ? 0 : afterRow + 1, limit + 1, skip);
  return cutPage(rows, limit, view.isHead ? view.manifest.rowCount : countRows(range));
}

/**
 * The same answer from the first rows of a version that is being loaded, byte for byte.
 *
 * @returns `undefined` when it takes the whole.
 */
export function answerFirstRows(
  context: ServeContext,
  head: DatasetView,
  ask: ApiAsk,
  cursor: PageCursor | undefined,
): ApiAnswer | Promise<ApiAnswer> | undefined {
  const format = chooseFormat(ask.ending, headerOf(ask.request, "accept"), tableFormats);
  if (format === "parquet" || format === "arrow") return undefined;
  const { selection, limit, skip, afterRow } = readRequest(head, ask, cursor);
  const [last, { rowCount }] = [(afterRow ?? -1) + skip + limit, head.pack];
  const isThere = last + 1 < rowCount || rowCount === head.manifest.rowCount;
  if (selection.sort.length > 0 || selection.filters.length > 0 || !isThere) return undefined;
  return answerRows(context, head, ask, cursor);
}

/** One row more than the page was asked for: then there is a next page. */
function cutPage(rows: readonly number[] | Uint32Array, limit: number, total: number): Page {
  if (rows.length <= limit) return { rows, total, nextAt: undefined };
  return { rows: rows.slice(0, limit), total, nextAt: rows[limit - 1] };
}

async function findByEngine(
  { engine, cache }: ServeContext,
  view: DatasetView,
  { selection, query, limit, skip, afterRow }: PageRequest,
  ask: ApiAsk,
): Promise<Page> {
  const totalKey = `total ${view.id} ${JSON.stringify(selection.filters)}`;
  const known = selection.filters.length === 0 ? view.pack.rowCount : cache.get<number>(totalKey);
  const { rows, total } = await cache.find<Readonly<{ rows: Uint32Array; total: number }>>(
    `rows ${view.id} ${query} ${limit} ${skip} ${afterRow ?? ""}`,
    ask.request.signal,
    async (signal) => {
      const page = { ...selection, afterRow, skip, limit: limit + 1, wantsTotal: known === undefined };
      const found = await engine.findRows(view.id, page, signal);
      return { rows: found.rows, total: known ?? found.total! }; // It was wanted where it was not known.
    },
    (found) => found.rows.byteLength,
  );
  cache.set(totalKey, total, 8);
  return cutPage(rows, limit, total);
}

function printPage(
  context: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  { columns, query }: PageRequest,
  { rows, total, nextAt }: Page,
  format: "json" | "ndjson" | "csv",
): string {
  const text = printRows(openRowPrinter(format, columns), rows);
  if (format !== "json") return text;
  const next = nextAt === undefined ? null : nextAddress(context, view, withoutOffset(ask), query, nextAt);
  const head = JSON.stringify({ dataset: view.dataset, version: view.manifest.version, total });
  return (
    toBytes(`${head.slice(0, -1)},"rows":`) + text.trimEnd() + toBytes(`,"next":${JSON.stringify(next)}}\n`)
  );
}

/** A cursor says where the next page begins; here `offset` is never a filter. */
const withoutOffset = (ask: ApiAsk): ApiAsk => ({
  ...ask,
  query: ask.query
    .split("&")
    .filter((part) => !part.startsWith("offset="))
    .join("&"),
});

/** The same address with the next page's cursor. */
export function nextAddress(
  { cursorKey }: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  query: string,
  at: number,
): string {
  const cursor = sealCursor({ version: view.short, query, at }, cursorKey);
  const others = ask.query.split("&").filter((part) => part !== "" && !part.startsWith("cursor="));
  return `${ask.path}?${[...others, `cursor=${cursor}`].join("&")}`;
}

/** What bodies without an envelope leave unsaid. */
function pageHeaders(
  context: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  { query }: PageRequest,
  { total, nextAt }: Page,
): readonly string[] {
  const headers = ["leat-version", view.short, "leat-total", String(total)];
  if (nextAt !== undefined)
    headers.push("link", `<${nextAddress(context, view, withoutOffset(ask), query, nextAt)}>; rel="next"`);
  return headers;
}

async function fileOfRows(
  context: ServeContext,
  view: DatasetView,
  { selection, columns, limit, skip, afterRow, query }: PageRequest,
  format: "parquet" | "arrow",
  ask: ApiAsk,
): Promise<Uint8Array> {
  const names = columns.map(({ name }) => name);
  const file: FileQuery = {
    format,
    select: "rows",
    selection,
    columns: names,
    page: { afterRow, skip, limit },
  };
  const key = `file ${view.id} ${query} ${JSON.stringify([names, limit, skip, afterRow, format])}`;
  return await readEngineFile(context, view, file, key, ask);
}

/** A small file that the engine writes, whole; the same one for all who ask for it. */
export async function readEngineFile(
  { engine, cache, folder }: ServeContext,
  view: DatasetView,
  query: FileQuery,
  key: string,
  ask: ApiAsk,
): Promise<Uint8Array> {
  const make = async (signal: AbortSignal): Promise<Uint8Array> => {
    const path = join(folder, `answer-${randomUUID()}`);
    try {
      await engine.writeFile(view.id, query, path, signal);
      return await readFile(path);
    } finally {
      await rm(path, { force: true });
    }
  };
  return await cache.find<Uint8Array>(key, ask.request.signal, make, (bytes) => bytes.byteLength);
}
