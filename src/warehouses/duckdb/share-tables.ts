/**
 * Tables of a share in a DuckDB file: who fills them, `_leat_shares`, and their exchange and removal. The file is a
 * customer's: what stands there without a row of leat's is the customer's own, and stays.
 */
import { LeatError } from "../../errors/leat-error.ts";
import { foldColumnName } from "../../model/column-names.ts";
import { toTenantId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { CheckQuery, ShareOwner } from "../../ports/warehouse.ts";
import { hasCatalog, makeCatalog, ofStream, placeOf, readStreams, text } from "./catalog.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { catalogTables, forgetInside } from "./forget-stream.ts";
import { historyName, readShortNames } from "./landing-table.ts";
import { remakeViews } from "./load-batch.ts";
import { quoteName, quoteText } from "./sql-text.ts";

const owners = "main._leat_shares";

const ownersSql = `CREATE TABLE IF NOT EXISTS ${owners}
  (source VARCHAR, stream VARCHAR, project VARCHAR NOT NULL, share VARCHAR NOT NULL, tenant VARCHAR NOT NULL,
   declaration VARCHAR NOT NULL, claimed_at TIMESTAMPTZ NOT NULL, receipts VARCHAR)`;

/** Who fills the stream's tables. */
export async function readOwner(session: DuckDbSession, spec: StreamSpec): Promise<ShareOwner | undefined> {
  if (!(await hasOwners(session))) return undefined;
  const [row] = await session.rows(`SELECT * FROM ${owners} WHERE ${ofStream(placeOf(spec))}`);
  if (row === undefined) return undefined;
  return {
    project: text(row, "project"),
    share: text(row, "share"),
    tenant: toTenantId(text(row, "tenant")),
    declaration: text(row, "declaration"),
  };
}

async function hasOwners(session: DuckDbSession): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM duckdb_tables()
     WHERE database_name = current_database() AND schema_name = 'main' AND table_name = '_leat_shares'`,
  );
  return rows.length > 0;
}

/** Makes `owner` the one who fills them, unless somebody does. The file's lock keeps two apart. */
export async function claimTables(
  session: DuckDbSession,
  file: string,
  spec: StreamSpec,
  owner: ShareOwner,
): Promise<ShareOwner> {
  return await inTransaction(session, async () => {
    await makeCatalog(session, file);
    await session.run(ownersSql);
    const held = await readOwner(session, spec);
    if (held !== undefined) return held;
    await refuseTaken(session, file, spec);
    const { source, stream } = placeOf(spec);
    const texts = [source, stream, owner.project, owner.share, owner.tenant, owner.declaration];
    await session.run(`INSERT INTO ${owners} VALUES (${texts.map(quoteText).join(", ")}, now(), NULL)`);
    return owner;
  });
}

/** What the last delivery has counted. */
export async function readReceipts(session: DuckDbSession, spec: StreamSpec): Promise<string | undefined> {
  if (!(await hasOwners(session))) return undefined;
  const [row] = await session.rows(`SELECT receipts FROM ${owners} WHERE ${ofStream(placeOf(spec))}`);
  return row === undefined || row["receipts"] === null ? undefined : text(row, "receipts");
}

/** Keeps what a delivery has counted. */
export async function keepReceipts(
  session: DuckDbSession,
  spec: StreamSpec,
  receipts: string,
): Promise<void> {
  await session.run(
    `UPDATE ${owners} SET receipts = ${quoteText(receipts)} WHERE ${ofStream(placeOf(spec))}`,
  );
}

/** What is there under one of the names, though no share has claimed them, is somebody else's. */
async function refuseTaken(session: DuckDbSession, file: string, spec: StreamSpec): Promise<void> {
  const wanted = [
    { schema: spec.source, name: spec.name },
    { schema: spec.source, name: historyName(spec.name) },
    { schema: "main", name: spec.landingTable },
  ];
  const shortNames = (await readShortNames(session)).map(foldColumnName);
  const rows = await session.rows(
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database()",
  );
  const isSame = (row: (typeof rows)[number], { schema, name }: (typeof wanted)[number]): boolean =>
    foldColumnName(text(row, "table_schema")) === foldColumnName(schema) &&
    foldColumnName(text(row, "table_name")) === foldColumnName(name);
  const taken = wanted.find(
    (one) =>
      rows.some((row) => isSame(row, one)) &&
      !(one.schema === "main" && shortNames.includes(foldColumnName(one.name))),
  );
  if (taken === undefined) return;
  throw new LeatError("SHARE_TABLE_TAKEN", {
    message: `In ${file} there is a table or view ${taken.schema}.${taken.name} that no share has made; nothing was changed.`,
    details: { schema: taken.schema, table: taken.name },
  });
}

/** Puts the tables of `aside` in the place of those of `spec`. */
export async function replaceTables(
  session: DuckDbSession,
  spec: StreamSpec,
  aside: StreamSpec,
): Promise<void> {
  await inTransaction(session, async () => {
    const loaded = (await readStreams(session)).some(
      ({ source, stream }) => source === aside.source && stream === aside.name,
    );
    if (!loaded) throw goneAside(spec);
    await forgetInside(session, spec);
    await dropViews(session, aside);
    await session.run(
      `ALTER TABLE main.${quoteName(aside.landingTable)} RENAME TO ${quoteName(spec.landingTable)}`,
    );
    const to = `source = ${quoteText(spec.source)}, stream = ${quoteText(spec.name)}`;
    const from = ofStream(placeOf(aside));
    await session.run(`DELETE FROM ${owners} WHERE ${ofStream(placeOf(spec))}`);
    for (const table of catalogTables) await moveRows(session, table, to, from);
    await session.run(`UPDATE ${owners} SET ${to} WHERE ${from}`);
    await session.run(
      `UPDATE main._leat_streams SET landing_table = ${quoteText(spec.landingTable)}, shape = ''
       WHERE ${ofStream(placeOf(spec))}`,
    );
    await remakeViews(session, spec);
    await dropIfEmpty(session, aside.source);
  });
}

/** Another run of the same has put its own in place meanwhile: what is there is as new as this would be. */
function goneAside(spec: StreamSpec): LeatError {
  return new LeatError("STATE_CONFLICT", {
    message: `${spec.source}.${spec.name}: another full load has ended meanwhile, and has taken the rows that this one had made aside.`,
    hint: "Run it again if need be; what is there is whole.",
  });
}

async function moveRows(session: DuckDbSession, table: string, to: string, from: string): Promise<void> {
  await session.run(`UPDATE main.${table} SET ${to} WHERE ${from}`);
}

async function dropViews(session: DuckDbSession, spec: StreamSpec): Promise<void> {
  const rows = await session.rows(
    `SELECT table_name, table_type FROM information_schema.tables WHERE table_catalog = current_database()
     AND table_schema = ${quoteText(spec.source)}`,
  );
  for (const row of rows) {
    const name = text(row, "table_name");
    if (name !== spec.name && name !== historyName(spec.name)) continue;
    const kind = text(row, "table_type") === "VIEW" ? "VIEW" : "TABLE";
    await session.run(`DROP ${kind} ${quoteName(spec.source)}.${quoteName(name)}`);
  }
}

/** Removes the tables, and the schema and leat's own tables where nothing else is left in them. */
export async function removeTables(session: DuckDbSession, spec: StreamSpec): Promise<void> {
  if (!(await hasCatalog(session))) return;
  await inTransaction(session, async () => {
    await forgetInside(session, spec);
    if (await hasOwners(session)) await session.run(`DELETE FROM ${owners} WHERE ${ofStream(placeOf(spec))}`);
    await dropIfEmpty(session, spec.source);
    await dropOwnTables(session);
  });
}

async function dropIfEmpty(session: DuckDbSession, schema: string): Promise<void> {
  const [held] = await session.rows(
    `SELECT count(*) AS held FROM information_schema.tables
     WHERE table_catalog = current_database() AND table_schema = ${quoteText(schema)}`,
  );
  if (Number(held!["held"]) === 0) await session.run(`DROP SCHEMA IF EXISTS ${quoteName(schema)}`);
}

/** Once nothing is loaded, shared or published in the file, leat's own tables go as well. */
async function dropOwnTables(session: DuckDbSession): Promise<void> {
  const rows = await session.rows(
    `SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'main'
     AND starts_with(table_name, '_leat_')`,
  );
  const names = rows.map((row) => text(row, "table_name"));
  const inUse = ["_leat_streams", "_leat_loads", "_leat_shares", "_leat_datasets"];
  for (const name of names.filter((name) => inUse.includes(name))) {
    if ((await session.rows(`SELECT 1 AS one FROM main.${quoteName(name)} LIMIT 1`)).length > 0) return;
  }
  for (const name of names) await session.run(`DROP TABLE main.${quoteName(name)}`);
}

/** How the customer can check the current rows, and the history. */
export async function checkQueries(spec: StreamSpec): Promise<readonly CheckQuery[]> {
  const views = spec.isCurrentOnly === true ? [spec.name] : [spec.name, historyName(spec.name)];
  return views.map((view) => {
    const table = `${quoteName(spec.source)}.${quoteName(view)}`;
    const sql =
      "SELECT count(*) AS row_count, CAST(coalesce(sum(hash(r)::HUGEINT), 0) AS VARCHAR) AS checksum " +
      `FROM ${table} AS r`;
    return { table, sql };
  });
}

async function inTransaction<Result>(session: DuckDbSession, work: () => Promise<Result>): Promise<Result> {
  await session.run("BEGIN TRANSACTION");
  try {
    const result = await work();
    await session.run("COMMIT");
    return result;
  } catch (error) {
    await session.connection.run("ROLLBACK").catch(() => undefined); // The first error is the one that matters.
    throw error;
  }
}
