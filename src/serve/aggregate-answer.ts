/** `/datasets/{name}/aggregate`: groups with their measures, made by the engine. */
import type { QueryTable } from "../ports/dataset-query.ts";
import { type GroupsRequest, readGroups } from "./aggregate-request.ts";
import { chooseFormat } from "./answer-format.ts";
import { type ApiAnswer, headerOf } from "./api-answer.ts";
import type { ApiAsk } from "./api-ask.ts";
import { QueryReader } from "./api-parameter.ts";
import { toBytes } from "./column-value.ts";
import type { DatasetView } from "./dataset-view.ts";
import { answerUnchanged, finishAnswer, tagAnswer } from "./finish-answer.ts";
import { checkCursor, type PageCursor } from "./page-cursor.ts";
import { printCell } from "./print-rows.ts";
import { parseQueryString } from "./query-string.ts";
import { nextAddress, readEngineFile, tableFormats } from "./rows-answer.ts";
import type { ServeContext } from "./serve-context.ts";

export async function answerAggregate(
  context: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  cursor: PageCursor | undefined,
): Promise<ApiAnswer> {
  const format = chooseFormat(ask.ending, headerOf(ask.request, "accept"), tableFormats);
  const tagged = tagAnswer(ask, context.apiTag, view.short, format);
  const unchanged = answerUnchanged(ask, tagged);
  if (unchanged !== undefined) return unchanged;
  const reader = new QueryReader(parseQueryString(ask.query));
  reader.one("cursor");
  const wanted = readGroups(view, reader);
  if (cursor !== undefined) checkCursor(cursor, wanted.name);
  const offset = cursor?.at ?? 0;
  const table = await findGroups(context, view, wanted, offset, ask);
  const nextAt = offset + table.rowCount;
  const next = nextAt < table.total ? nextAddress(context, view, ask, wanted.name, nextAt) : null;
  const headers = ["leat-version", view.short, "leat-total", String(table.total)];
  if (next !== null) headers.push("link", `<${next}>; rel="next"`);
  const finish = (body: string | Uint8Array): ApiAnswer | Promise<ApiAnswer> =>
    finishAnswer(ask, tagged, body, { cache: context.cache, headers });
  if (format === "parquet" || format === "arrow") {
    const query = { ...wanted.query, offset };
    const key = `groups ${view.id} ${wanted.name} ${wanted.query.limit} ${offset} ${format}`;
    return await finish(await readEngineFile(context, view, { format, select: "groups", query }, key, ask));
  }
  if (format === "csv") return await finish(printCsv(table));
  const rows = printObjects(table);
  if (format === "ndjson") return await finish(rows.map((row) => `${row}\n`).join(""));
  const head = JSON.stringify({ dataset: view.dataset, version: view.manifest.version, total: table.total });
  return await finish(
    `${toBytes(head.slice(0, -1))},"rows":[${rows.join(",")}],"next":${toBytes(JSON.stringify(next))}}\n`,
  );
}

async function findGroups(
  { engine, cache }: ServeContext,
  view: DatasetView,
  { query, name }: GroupsRequest,
  offset: number,
  ask: ApiAsk,
): Promise<QueryTable> {
  return await cache.find<QueryTable>(
    `table ${view.id} ${name} ${query.limit} ${offset}`,
    ask.request.signal,
    async (signal) => toByteTable(await engine.aggregate(view.id, { ...query, offset }, signal)),
    ({ columns }) =>
      columns.reduce((bytes, { cells }) => bytes + cells.reduce((sum, cell) => sum + cell.length + 24, 0), 0),
  );
}

/** Cells of one character a byte, as all fragments. */
const toByteTable = (table: QueryTable): QueryTable => ({
  ...table,
  columns: table.columns.map((column) => ({ ...column, cells: column.cells.map(toBytes) })),
});

function printObjects({ columns, rowCount }: QueryTable): string[] {
  const heads = columns.map(({ name }, at) => `${at === 0 ? "{" : ","}${toBytes(JSON.stringify(name))}:`);
  return Array.from({ length: rowCount }, (_, row) =>
    columns.reduce((text, { cells }, at) => `${text}${heads[at]}${cells[row]}`, "").concat("}"),
  );
}

function printCsv({ columns, rowCount }: QueryTable): string {
  const lines = [columns.map(({ name }) => printCell(toBytes(JSON.stringify(name)), "text")).join(",")];
  for (let row = 0; row < rowCount; row++)
    lines.push(columns.map(({ cells, type }) => printCell(cells[row]!, type)).join(","));
  return `${lines.join("\r\n")}\r\n`;
}
