/** The newest version of a dataset as a table of the warehouse, replaced in one transaction with its ledger row. */
import { LeatError } from "../../errors/leat-error.ts";
import { foldColumnName } from "../../model/column-names.ts";
import { parseColumnType } from "../../model/column-types.ts";
import type { DatasetTable, PublishedDataset } from "../../ports/warehouse.ts";
import { makeCatalog } from "./catalog.ts";
import { engineType } from "./cell-reading.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { readShortNames } from "./landing-table.ts";
import { quotePaths } from "./package-source.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** leat's ledger of datasets. */
const ledger = "main._leat_datasets";

const ledgerSql = `CREATE TABLE IF NOT EXISTS ${ledger}
  (dataset VARCHAR PRIMARY KEY, schema_name VARCHAR NOT NULL, version VARCHAR NOT NULL, seq BIGINT NOT NULL,
   row_count BIGINT NOT NULL, published_at TIMESTAMPTZ NOT NULL)`;

type LedgerRow = PublishedDataset & Readonly<{ schema: string }>;

/** What the table of a dataset holds; the ledger's word counts only while the table is there. */
export async function readDataset(
  session: DuckDbSession,
  dataset: string,
): Promise<PublishedDataset | undefined> {
  const row = await readRow(session, dataset);
  if (row === undefined || (await relationOf(session, row.schema, dataset)) !== "TABLE") return undefined;
  return { seq: row.seq, version: row.version };
}

async function readRow(session: DuckDbSession, dataset: string): Promise<LedgerRow | undefined> {
  if ((await relationOf(session, "main", "_leat_datasets")) === undefined) return undefined;
  const [row] = await session.rows(
    `SELECT seq, version, schema_name FROM ${ledger} WHERE dataset = ${quoteText(dataset)}`,
  );
  if (row === undefined) return undefined;
  return { seq: Number(row["seq"]), version: String(row["version"]), schema: String(row["schema_name"]) };
}

/** Replaces the table, unless it holds a later entry. */
export async function publishDataset(
  session: DuckDbSession,
  file: string,
  table: DatasetTable,
): Promise<PublishedDataset> {
  await session.run("SET preserve_insertion_order = true"); // Sorted rows stay sorted, so that searches skip most of them.
  await session.run("BEGIN TRANSACTION");
  try {
    await makeCatalog(session, file);
    await session.run(ledgerSql);
    const held = await readRow(session, table.dataset);
    const isThere = held !== undefined && (await relationOf(session, held.schema, table.dataset)) === "TABLE";
    const isEqual = held?.version === table.version && held.seq === table.seq && held.schema === table.schema;
    const isLater = held !== undefined && held.seq > table.seq && held.seq !== table.replaces;
    if (isThere && (isEqual || isLater)) {
      await session.run("ROLLBACK");
      return { seq: held.seq, version: held.version };
    }
    if (isThere) await session.run(`DROP TABLE ${quoteName(held.schema)}.${quoteName(table.dataset)}`);
    await takeName(session, table);
    await makeTable(session, table);
    await session.run(`DELETE FROM ${ledger} WHERE dataset = ${quoteText(table.dataset)}`);
    const texts = [table.dataset, table.schema, table.version].map(quoteText).join(", ");
    await session.run(`INSERT INTO ${ledger} VALUES (${texts}, ${table.seq}, ${table.rowCount}, now())`);
    await session.run("COMMIT");
    return { seq: table.seq, version: table.version };
  } catch (error) {
    await session.connection.run("ROLLBACK").catch(() => undefined); // The first error is the one that matters.
    throw error;
  }
}

async function makeTable(session: DuckDbSession, table: DatasetTable): Promise<void> {
  const name = `${quoteName(table.schema)}.${quoteName(table.dataset)}`;
  const columns = table.columns.map((column) => {
    const type = parseColumnType(column.type);
    if (type === undefined)
      throw new Error(`the dataset ${table.dataset} has the unknown type ${column.type}`);
    return `CAST(${quoteName(column.name)} AS ${engineType(type)}) AS ${quoteName(column.name)}`;
  });
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(table.schema)}`);
  await session.run(
    `CREATE TABLE ${name} AS SELECT ${columns.join(", ")} FROM read_parquet(${quotePaths(table.paths)})`,
  );
  const [counted] = await session.rows(`SELECT count(*) AS held FROM ${name}`);
  if (Number(counted!["held"]) !== table.rowCount) {
    throw new LeatError("PART_CORRUPT", {
      message: `The Parquet files of the dataset ${table.dataset} hold ${counted!["held"]} rows; its manifest says ${table.rowCount}.`,
      details: { dataset: table.dataset, version: table.version },
    });
  }
  await session.run(`COMMENT ON TABLE ${name} IS ${quoteText(table.description)}`);
  for (const { name: column, description, unit } of table.columns) {
    const comment = [description, unit === null ? null : `[${unit}]`]
      .filter((part) => part !== null)
      .join(" ");
    if (comment !== "")
      await session.run(`COMMENT ON COLUMN ${name}.${quoteName(column)} IS ${quoteText(comment)}`);
  }
}

/** Frees the name of leat's own short name; refuses to take anybody else's table or view. */
async function takeName(session: DuckDbSession, table: DatasetTable): Promise<void> {
  if (foldColumnName(table.schema) === "main") {
    for (const short of await readShortNames(session)) {
      if (foldColumnName(short) === foldColumnName(table.dataset))
        await session.run(`DROP VIEW main.${quoteName(short)}`);
    }
  }
  const taken = await relationOf(session, table.schema, table.dataset);
  if (taken === undefined) return;
  throw new LeatError("CONFIG_INVALID", {
    message: `The dataset ${table.dataset} cannot have the table ${table.schema}.${table.dataset}: there is a ${taken.toLowerCase()} of that name, which leat has not made.`,
    hint: "Rename the dataset, set `warehouseSchema`, or drop what is there. The version itself is published.",
    details: { dataset: table.dataset },
  });
}

/** `TABLE` or `VIEW`; `undefined`: there is nothing of that name. Names are compared as the engine does, without case. */
async function relationOf(session: DuckDbSession, schema: string, name: string): Promise<string | undefined> {
  const [row] = await session.rows(
    `SELECT CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END AS kind FROM information_schema.tables
     WHERE table_catalog = current_database() AND lower(table_schema) = lower(${quoteText(schema)})
     AND lower(table_name) = lower(${quoteText(name)})`,
  );
  return row === undefined ? undefined : String(row["kind"]);
}
