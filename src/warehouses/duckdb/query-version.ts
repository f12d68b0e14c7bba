/** One version in the engine: its own copy in a file of the engine's, and the queries over it. */
import { open } from "node:fs/promises";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { LeatError } from "../../errors/leat-error.ts";
import { printColumnType } from "../../model/column-types.ts";
import type { PackLayout } from "../../model/serving-pack.ts";
import type {
  AggregateQuery,
  Facet,
  FacetQuery,
  FileQuery,
  QueryTable,
  RowSelection,
  RowsFound,
  RowsQuery,
} from "../../ports/dataset-query.ts";
import { writeArrow } from "./query-arrow.ts";
import type { KnownVersion, QueryCalls } from "./query-calls.ts";
import { openPrinter, printColumn } from "./query-fragments.ts";
import { eachChunk, writePack } from "./query-pack.ts";
import {
  aggregateSql,
  countSql,
  facetSql,
  groupsSql,
  partsSql,
  type QueryTableFacts,
  rowNumbersSql,
  rowsSql,
  selectSql,
  tableColumns,
  tableName,
} from "./query-sql.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** Runs work on a connection of its own, which can be interrupted alone. */
export type WithConnection = <Result>(
  work: (connection: DuckDBConnection) => Promise<Result>,
) => Promise<Result>;

/** A connection to the engine, set up. */
export async function connect(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return connection;
}

/** Queries over one version. */
export class QueryVersion {
  readonly #catalog: string;
  readonly #facts: QueryTableFacts;

  private constructor(catalog: string, { columns }: KnownVersion) {
    this.#catalog = catalog;
    this.#facts = { table: `${quoteName(catalog)}.main.${tableName}`, columns: tableColumns(columns) };
  }

  /** Opens the file of a version that was loaded before. */
  static async attach(
    connection: DuckDBConnection,
    catalog: string,
    known: KnownVersion,
  ): Promise<QueryVersion> {
    await connection.run(`ATTACH ${quoteText(known.file)} AS ${quoteName(catalog)} (READ_ONLY)`);
    return new QueryVersion(catalog, known);
  }

  /** Copies the parts into a file of the engine's and writes the pack. */
  static async load(
    connection: DuckDBConnection,
    catalog: string,
    asked: QueryCalls["load"]["asked"],
  ): Promise<Readonly<{ version: QueryVersion; layout: PackLayout }>> {
    const version = new QueryVersion(catalog, asked);
    const { table, columns } = version.#facts;
    await connection.run(`ATTACH ${quoteText(asked.file)} AS ${quoteName(catalog)}`);
    try {
      await connection.run(`CREATE TABLE ${table} AS ${partsSql(columns, asked.paths)}`);
      const held = Number(await readNumber(connection, countSql(version.#facts, [])));
      if (held !== asked.rowCount)
        throw new LeatError("PART_CORRUPT", {
          message: `The dataset ${asked.dataset} should have ${asked.rowCount} rows and its files hold ${held}.`,
          details: { dataset: asked.dataset },
        });
      const job = {
        dataset: asked.dataset,
        facts: version.#facts,
        orders: asked.orders,
        bytesMax: asked.packBytesMax,
      };
      const layout = await writePack(connection, job, asked.packPath);
      return { version, layout };
    } catch (error) {
      await version.detach(connection);
      throw error;
    }
  }

  async detach(connection: DuckDBConnection): Promise<void> {
    await connection.run(`DETACH ${quoteName(this.#catalog)}`);
  }

  async findRows(connection: DuckDBConnection, query: RowsQuery): Promise<RowsFound> {
    const rows = new Uint32Array(query.limit);
    let found = 0;
    await eachChunk(connection, rowsSql(this.#facts, query), (chunk) => {
      const vector = chunk.getColumnVector(0);
      for (let at = 0; at < chunk.rowCount; at++) rows[found++] = vector.getItem(at) as number; // A UINTEGER.
    });
    const total = query.wantsTotal
      ? await readNumber(connection, countSql(this.#facts, query.filters))
      : undefined;
    return { rows: rows.slice(0, found), total };
  }

  async writeRowNumbers(
    connection: DuckDBConnection,
    selection: RowSelection,
    path: string,
  ): Promise<number> {
    const file = await open(path, "w");
    try {
      let found = 0;
      await eachChunk(connection, rowNumbersSql(this.#facts, selection), async (chunk) => {
        const vector = chunk.getColumnVector(0);
        const rows = Uint32Array.from({ length: chunk.rowCount }, (_, at) => vector.getItem(at) as number); // UINTEGER.
        found += rows.length;
        await file.writeFile(new Uint8Array(rows.buffer));
      });
      return found;
    } finally {
      await file.close();
    }
  }

  async aggregate(connection: DuckDBConnection, query: AggregateQuery): Promise<QueryTable> {
    const measures = new Map(query.measures.map((measure) => [measure.name, measure]));
    const kinds = [...query.groups, ...query.measures].map(({ name, column }) => {
      const type = column === undefined ? undefined : this.#facts.columns.get(column)?.type.type;
      const measure = measures.get(name)?.measure;
      const isAdded = type === "double" && (measure === "sum" || measure === "avg");
      if (isAdded || (type === "decimal" && measure === "avg")) return "steady";
      return type === "json" && measure === undefined ? "json" : "plain";
    });
    const cells: string[][] = kinds.map(() => []);
    let types: string[] = [];
    let total = 0;
    await eachChunk(connection, aggregateSql(this.#facts, query), (chunk, result) => {
      types = kinds.map((_, at) => publishedType(String(result.columnType(at))));
      for (const [at, kind] of kinds.entries())
        cells[at]!.push(...printColumn(chunk, at, openPrinter(result.columnType(at), kind)));
      total = Number(chunk.getColumnVector(kinds.length).getItem(0));
    });
    const names = [...query.groups, ...query.measures].map(({ name }) => name);
    return {
      columns: names.map((name, at) => ({ name, type: types[at] ?? "text", cells: cells[at]! })),
      rowCount: cells[0]?.length ?? 0,
      total,
    };
  }

  async facet(connection: DuckDBConnection, query: FacetQuery): Promise<Facet> {
    const values: { value: string; count: number }[] = [];
    let distinct = 0;
    await eachChunk(connection, facetSql(this.#facts, query), (chunk, result) => {
      const printed = printColumn(chunk, 0, openPrinter(result.columnType(0), "plain"));
      const counts = chunk.getColumnVector(1);
      for (const [at, value] of printed.entries()) values.push({ value, count: Number(counts.getItem(at)) });
      distinct = Number(chunk.getColumnVector(2).getItem(0));
    });
    return { values, distinct };
  }

  async writeFile(connection: DuckDBConnection, query: FileQuery, path: string): Promise<void> {
    const sql =
      query.select === "rows"
        ? selectSql(this.#facts, query.selection, query.columns, query.page)
        : groupsSql(this.#facts, query.query);
    if (query.format === "arrow") await writeArrow(connection, sql, path);
    else await connection.run(`COPY (${sql}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd)`);
  }
}

async function readNumber(connection: DuckDBConnection, sql: string): Promise<number> {
  return Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0]);
}

/** The engine's name of a result's type as published columns have it. */
function publishedType(engine: string): string {
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(engine);
  if (decimal !== null)
    return printColumnType({ type: "decimal", precision: Number(decimal[1]), scale: Number(decimal[2]) });
  const names: Readonly<Record<string, string>> = {
    VARCHAR: "text",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
  };
  return names[engine] ?? engine.toLowerCase();
}
