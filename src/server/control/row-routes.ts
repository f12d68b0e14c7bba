/** Rows of a stream's table, of one load or all: in windows, by facets, and as a file. */
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { QueryResult, SqlNaming, Warehouse } from "../../ports/warehouse.ts";
import { chooseStream } from "../../sync/choose.ts";
import { answers, anyJson, count, listOf, orNull, record, text } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { idParams } from "./request-schemas.ts";
import { conditionOf, knownColumn, orderOf, type RowScope, type RowTable } from "./row-query.ts";

type Id = { Params: { id: string } };
type Asked = { of: "landed" | "current"; tenant?: string; seq?: number; filter: string[]; sort: string[] };

/** Rows of one window, and how far windows reach: beyond, a filter finds faster than a scroll bar. */
const windowMax = 200;
const offsetMax = 1_000_000;

/** Rows of one file: they are in memory while it is written. */
const exportedMax = 100_000;

/** Rows that are printed at once. */
const printedAtOnce = 1000;

/** How long a query may take, ms: a person waits for it. */
const queryMs = 60_000;

const facetsMax = 100;

const rowFields = {
  of: {
    enum: ["landed", "current"],
    default: "landed",
    description: "landed: every version of every record; current: one row for each key.",
  },
  tenant: { type: "string", minLength: 1, maxLength: 500 },
  seq: { type: "integer", minimum: 1, description: "Of one package." },
  filter: {
    type: "array",
    items: { type: "string", maxLength: 2000 },
    maxItems: 50,
    default: [],
    description:
      "column.operator=value, such as amount.gte=5; operators: eq, ne, lt, lte, gt, gte, in, like, isnull. All of them hold.",
  },
  sort: {
    type: "array",
    items: { type: "string", maxLength: 300 },
    maxItems: 10,
    default: [],
    description: "Columns; -column is descending.",
  },
} as const;

const columnsAnswer = listOf(record({ name: text, type: text }));

export function addRowRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const tags = ["rows"];
  app.get<Id & { Querystring: Asked & { limit: number; offset: number; total: boolean } }>(
    "/streams/:id/rows",
    {
      schema: {
        tags,
        summary: "Rows of a stream's table in the warehouse, in windows.",
        description: "Waits while a load holds the warehouse's file.",
        params: idParams,
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            ...rowFields,
            limit: { type: "integer", minimum: 1, maximum: windowMax, default: windowMax },
            offset: { type: "integer", minimum: 0, maximum: offsetMax, default: 0 },
            total: { type: "boolean", default: false, description: "Count all rows that match as well." },
          },
        },
        response: answers(
          record({ columns: columnsAnswer, rows: listOf(listOf(anyJson)), total: orNull(count) }),
        ),
      },
    },
    async ({ params, query }) => {
      const asked = await openTable(ports, params.id, query);
      const from = `FROM ${asked.table.name}${asked.where}`;
      const { columns, rows } = await asked.run(
        `SELECT * ${from}${asked.order} LIMIT ${query.limit} OFFSET ${query.offset}`,
      );
      const total = query.total ? Number((await asked.run(`SELECT count(*) ${from}`)).rows[0]?.[0]) : null;
      return { columns, rows, total };
    },
  );
  app.get<Id & { Querystring: Asked & { column: string; limit: number } }>(
    "/streams/:id/facets",
    {
      schema: {
        tags,
        summary: "The commonest values of a column of a stream's table.",
        params: idParams,
        querystring: {
          type: "object",
          additionalProperties: false,
          required: ["column"],
          properties: {
            ...rowFields,
            column: { type: "string", minLength: 1, maxLength: 300 },
            limit: { type: "integer", minimum: 1, maximum: facetsMax, default: 20 },
          },
        },
        response: answers(record({ column: text, values: listOf(record({ value: anyJson, count })) })),
      },
    },
    async ({ params, query }) => {
      const { table, where, run } = await openTable(ports, params.id, query);
      const column = knownColumn(table, query.column);
      const value = `CAST(${table.naming.quoteName(column.name)} AS ${table.textType})`;
      const { rows } = await run(
        `SELECT ${value} AS facet, count(*) AS number FROM ${table.name}${where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${query.limit}`,
      );
      return {
        column: column.name,
        values: rows.map(([facet, number]) => ({ value: facet ?? null, count: Number(number) })),
      };
    },
  );
  app.get<Id & { Querystring: Asked & { format: "csv" | "ndjson" } }>(
    "/streams/:id/export",
    {
      schema: {
        tags,
        summary: "All rows that match, as a file.",
        description: `At most ${exportedMax} rows; more are refused, and not cut.`,
        params: idParams,
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: { ...rowFields, format: { enum: ["csv", "ndjson"], default: "csv" } },
        },
      },
    },
    async ({ params, query }, reply) => {
      const { table, where, order, run } = await openTable(ports, params.id, query);
      const found = await run(`SELECT * FROM ${table.name}${where}${order} LIMIT ${exportedMax + 1}`);
      if (found.rows.length > exportedMax) {
        throw new LeatError("ROWS_TOO_MANY", {
          message: `More than ${exportedMax} rows match; a file holds at most so many.`,
          details: { rowsMax: exportedMax },
        });
      }
      const isCsv = query.format === "csv";
      return reply
        .headers({
          "content-type": isCsv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson",
          "content-disposition": `attachment; filename="${params.id.replaceAll(/[^\w.-]/g, "_")}.${query.format}"`,
          "x-content-type-options": "nosniff",
        })
        .send(Readable.from(isCsv ? printCsv(found) : printLines(found)));
    },
  );
}

/** A request's table, with what its filters and order are in SQL. */
type OpenTable = Readonly<{
  table: RowTable;
  where: string;
  order: string;
  run: (sql: string) => Promise<QueryResult>;
}>;

async function openTable(ports: ControlPorts, id: string, asked: Asked): Promise<OpenTable> {
  const { spec } = chooseStream(ports.project, id);
  const warehouse = await ports.openWarehouse();
  const run = (sql: string): Promise<QueryResult> =>
    warehouse.query(sql, { signal: AbortSignal.timeout(queryMs), rowsMax: exportedMax + 1 });
  const naming = warehouse.naming ?? usualNaming;
  const name = nameOf(warehouse, naming, spec, asked.of);
  const { columns } = await run(`SELECT * FROM ${name} LIMIT 0`);
  const textType = warehouse.url.startsWith("bigquery") ? "STRING" : "VARCHAR";
  const table: RowTable = { name, columns, naming, textType };
  const scope: RowScope[] = [];
  if (asked.tenant !== undefined) scope.push({ column: ports.project.tenantColumn, value: asked.tenant });
  if (asked.seq !== undefined) scope.push({ column: leatColumns.package, value: asked.seq });
  const tail = [ports.project.tenantColumn, leatColumns.package, leatColumns.row];
  return {
    table,
    where: conditionOf(table, { filters: asked.filter, sort: asked.sort }, scope),
    order: orderOf(table, asked.sort, tail),
    run,
  };
}

const usualNaming: SqlNaming = {
  quoteName: (name) => `"${name.replaceAll('"', '""')}"`,
  quoteText: (value) => `'${value.replaceAll("'", "''")}'`,
};

function nameOf(warehouse: Warehouse, { quoteName }: SqlNaming, spec: StreamSpec, of: Asked["of"]): string {
  if (of === "landed") return warehouse.landingName?.(spec) ?? quoteName(spec.landingTable);
  return warehouse.currentName?.(spec) ?? `${quoteName(spec.source)}.${quoteName(spec.name)}`;
}

function* printLines({ columns, rows }: QueryResult): Generator<string> {
  for (let start = 0; start < rows.length; start += printedAtOnce) {
    yield rows
      .slice(start, start + printedAtOnce)
      .map(
        (row) =>
          `${JSON.stringify(Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])))}\n`,
      )
      .join("");
  }
}

/** CSV as RFC 4180 has it. A null is empty, an empty text is in quotes. */
function* printCsv({ columns, rows }: QueryResult): Generator<string> {
  yield `${columns.map(({ name }) => printCell(name)).join(",")}\r\n`;
  for (let start = 0; start < rows.length; start += printedAtOnce) {
    yield rows
      .slice(start, start + printedAtOnce)
      .map((row) => `${row.map(printCell).join(",")}\r\n`)
      .join("");
  }
}

function printCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
  return shown === "" || /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}
