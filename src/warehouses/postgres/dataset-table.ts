/** The newest version of a dataset as a table of the warehouse, replaced in one transaction with its ledger row. */
import { createReadStream } from "node:fs";
import { LeatError } from "../../errors/leat-error.ts";
import { foldColumnName } from "../../model/column-names.ts";
import { parseColumnType } from "../../model/column-types.ts";
import type { DatasetTable, PublishedDataset } from "../../ports/warehouse.ts";
import { lockSchema, makeCatalog, makeSchema, ownTable } from "./catalog.ts";
import { engineType, type RelationName, toName } from "./landing-table.ts";
import { claim, isOwn, markOwn, readRelation } from "./own-relations.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { nameBytesMax, toRelationName } from "./relation-names.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/**
 * Writes the named columns of Parquet files as CSV: every value as text and in quotes, NULL as nothing.
 */
export type ExportParquet = (
  paths: readonly string[],
  columns: readonly string[],
  file: string,
  signal: AbortSignal,
) => Promise<void>;

/** The schema that declarations call `main` is the one of leat's own tables. */
function tableOf(address: PostgresAddress, schema: string, dataset: string): RelationName {
  const isMain = foldColumnName(schema) === "main";
  return toName(
    isMain ? address.schema : toRelationName(`${address.viewPrefix}${schema}`),
    toRelationName(dataset),
  );
}

type HeldVersion = PublishedDataset & Readonly<{ table: RelationName; isThere: boolean }>;

/** What the table of a dataset holds; the ledger's word counts only while the table is there. */
export async function readDataset(
  session: PostgresSession,
  dataset: string,
): Promise<PublishedDataset | undefined> {
  const held = await readHeld(session, dataset);
  return held?.isThere === true ? { seq: held.seq, version: held.version } : undefined;
}

async function readHeld(session: PostgresSession, dataset: string): Promise<HeldVersion | undefined> {
  const [row] = await session.rows(
    `SELECT seq, version, schema_name FROM ${ownTable(session, "datasets")} WHERE dataset = ${quoteText(dataset)}`,
  );
  if (row === undefined) return undefined;
  const table = tableOf(session.address, String(row["schema_name"]), dataset);
  const there = await readRelation(session, table);
  const isThere = there?.kind === "TABLE" && isOwn(session, there);
  return { seq: Number(row["seq"]), version: String(row["version"]), table, isThere };
}

/** Replaces the table, unless it holds a later entry. @param file - the rows, as {@link ExportParquet} writes them. */
export async function publishDataset(
  session: PostgresSession,
  table: DatasetTable,
  file: string,
): Promise<PublishedDataset> {
  await lockSchema(session);
  await makeCatalog(session);
  const name = tableOf(session.address, table.schema, table.dataset);
  const held = await readHeld(session, table.dataset);
  if (held?.isThere === true) {
    const isEqual = held.version === table.version && held.seq === table.seq && held.table.sql === name.sql;
    const isLater = held.seq > table.seq && held.seq !== table.replaces;
    if (isEqual || isLater) return { seq: held.seq, version: held.version };
    await session.run(`DROP TABLE ${held.table.sql}`);
  }
  await makeSchema(session, name.schema);
  await claim(session, name, "short name");
  await makeTable(session, name, table, file);
  const texts = [table.dataset, table.schema, table.version].map(quoteText).join(", ");
  await session.run(
    `DELETE FROM ${ownTable(session, "datasets")} WHERE dataset = ${quoteText(table.dataset)}`,
  );
  await session.run(
    `INSERT INTO ${ownTable(session, "datasets")} VALUES (${texts}, ${table.seq}, ${table.rowCount}, now())`,
  );
  return { seq: table.seq, version: table.version };
}

async function makeTable(
  session: PostgresSession,
  name: RelationName,
  table: DatasetTable,
  file: string,
): Promise<void> {
  const columns = table.columns.map((column) => {
    const type = parseColumnType(column.type);
    if (type === undefined)
      throw new Error(`the dataset ${table.dataset} has the unknown type ${column.type}`);
    if (Buffer.byteLength(column.name) > nameBytesMax) throw longName(table.dataset, column.name);
    return `${quoteName(column.name)} ${engineType(type)}`;
  });
  await session.run(`CREATE TABLE ${name.sql} (${columns.join(", ")})`);
  const rowCount = await session.copyIn(`COPY ${name.sql} FROM STDIN (FORMAT csv)`, createReadStream(file));
  if (rowCount !== table.rowCount) {
    throw new LeatError("PART_CORRUPT", {
      message: `The Parquet files of the dataset ${table.dataset} hold ${rowCount} rows; its manifest says ${table.rowCount}.`,
      details: { dataset: table.dataset, version: table.version },
    });
  }
  await markOwn(session, "TABLE", name, table.description === "" ? "a dataset" : table.description);
  for (const { name: column, description, unit } of table.columns) {
    const comment = [description, unit === null ? null : `[${unit}]`]
      .filter((part) => part !== null)
      .join(" ");
    if (comment !== "")
      await session.run(`COMMENT ON COLUMN ${name.sql}.${quoteName(column)} IS ${quoteText(comment)}`);
  }
}

/** Columns of a dataset are what its API calls them: one that cannot be kept is told, and not renamed. */
function longName(dataset: string, column: string): LeatError {
  return new LeatError("CONFIG_INVALID", {
    message: `The dataset ${dataset} cannot have a table in Postgres: its column "${column}" has a name of more than ${nameBytesMax} bytes.`,
    hint: "Give the column a shorter name. The version itself is published.",
    details: { dataset, column },
  });
}
