/**
 * Tables of a share in a Postgres database: who fills them, `_leat_shares`, and their exchange and removal. The database
 * is a customer's: what carries no comment of leat's is the customer's own, and stays.
 */
import { LeatError } from "../../errors/leat-error.ts";
import { toTenantId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { CheckQuery, ShareOwner } from "../../ports/warehouse.ts";
import {
  hasCatalog,
  lockSchema,
  lockStream,
  makeCatalog,
  makeSchema,
  ofStream,
  ownTable,
  readColumns,
  readStreams,
  text,
  writeStream,
} from "./catalog.ts";
import { forgetStream } from "./forget-stream.ts";
import { type RelationName, relationsOf } from "./landing-table.ts";
import { isShortName, markOwn, readRelation } from "./own-relations.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import { dropViews, refreshShortNames, refreshViews } from "./views.ts";

/** leat's tables with rows of streams, but for the streams themselves, whose views are made anew. */
const movedTables = ["columns", "loads", "rejects"] as const;

const owners = (session: PostgresSession): string => ownTable(session, "shares");

/** Who fills the stream's tables. */
export async function readOwner(session: PostgresSession, spec: StreamSpec): Promise<ShareOwner | undefined> {
  if (!(await hasOwners(session))) return undefined;
  const [row] = await session.rows(`SELECT * FROM ${owners(session)} WHERE ${ofStream(spec)}`);
  if (row === undefined) return undefined;
  return {
    project: text(row, "project"),
    share: text(row, "share"),
    tenant: toTenantId(text(row, "tenant")),
    declaration: text(row, "declaration"),
  };
}

async function hasOwners(session: PostgresSession): Promise<boolean> {
  const [row] = await session.rows(`SELECT to_regclass(${quoteText(owners(session))}) AS name`);
  return row!["name"] !== null;
}

/** Makes `owner` the one who fills them, unless somebody does. Inside a transaction. */
export async function claimTables(
  session: PostgresSession,
  spec: StreamSpec,
  owner: ShareOwner,
): Promise<ShareOwner> {
  await lockStream(session, spec);
  await makeCatalog(session);
  if (!(await hasOwners(session))) {
    await lockSchema(session);
    await session.run(
      `CREATE TABLE IF NOT EXISTS ${owners(session)} (source text, stream text, project text NOT NULL,
         share text NOT NULL, tenant text NOT NULL, declaration text NOT NULL, claimed_at timestamptz NOT NULL,
         receipts text, PRIMARY KEY (source, stream))`,
    );
  }
  const held = await readOwner(session, spec);
  if (held !== undefined) return held;
  await refuseTaken(session, spec);
  const texts = [spec.source, spec.name, owner.project, owner.share, owner.tenant, owner.declaration];
  await session.run(`INSERT INTO ${owners(session)} VALUES (${texts.map(quoteText).join(", ")}, now())`);
  return owner;
}

/** What the last delivery has counted. */
export async function readReceipts(session: PostgresSession, spec: StreamSpec): Promise<string | undefined> {
  if (!(await hasOwners(session))) return undefined;
  const [row] = await session.rows(`SELECT receipts FROM ${owners(session)} WHERE ${ofStream(spec)}`);
  return row?.["receipts"] ?? undefined;
}

/** Keeps what a delivery has counted. */
export async function keepReceipts(
  session: PostgresSession,
  spec: StreamSpec,
  receipts: string,
): Promise<void> {
  await session.run(
    `UPDATE ${owners(session)} SET receipts = ${quoteText(receipts)} WHERE ${ofStream(spec)}`,
  );
}

/** What is there under one of the names, though no share has claimed them, is somebody else's. */
async function refuseTaken(session: PostgresSession, spec: StreamSpec): Promise<void> {
  const { landing, current, history } = relationsOf(session.address, spec);
  for (const name of [current, history, landing]) {
    const there = await readRelation(session, name);
    if (there === undefined || (name === landing && isShortName(session, there))) continue;
    throw new LeatError("SHARE_TABLE_TAKEN", {
      message: `In ${session.address.url} there is a table or view ${name.schema}.${name.name} that no share has made; nothing was changed.`,
      details: { schema: name.schema, table: name.name },
    });
  }
}

/** Puts the tables of `aside` in the place of those of `spec`. Inside a transaction. */
export async function replaceTables(
  session: PostgresSession,
  spec: StreamSpec,
  aside: StreamSpec,
): Promise<void> {
  await lockStream(session, spec);
  await lockStream(session, aside);
  await lockSchema(session);
  const built = (await readStreams(session)).find(
    ({ source, stream }) => source === aside.source && stream === aside.name,
  );
  if (built === undefined) throw goneAside(spec);
  const columns = await readColumns(session, aside);
  await forgetStream(session, spec);
  await session.run(`DELETE FROM ${owners(session)} WHERE ${ofStream(spec)}`);
  await dropViews(session, aside);
  const [from, to] = [relationsOf(session.address, aside), relationsOf(session.address, spec)];
  await session.run(`ALTER TABLE ${from.landing.sql} RENAME TO ${quoteName(to.landing.name)}`);
  await markOwn(session, "TABLE", to.landing, `what was landed of ${spec.source}.${spec.name}`);
  const places = `source = ${quoteText(spec.source)}, stream = ${quoteText(spec.name)}`;
  for (const table of [...movedTables, "shares"] as const)
    await session.run(`UPDATE ${ownTable(session, table)} SET ${places} WHERE ${ofStream(aside)}`);
  await session.run(`DELETE FROM ${ownTable(session, "streams")} WHERE ${ofStream(aside)}`);
  const stream = {
    ...built,
    source: spec.source,
    stream: spec.name,
    landingTable: spec.landingTable,
    shape: "",
  };
  await writeStream(session, stream);
  await makeSchema(session, to.current.schema);
  await refreshViews(session, spec, stream, columns, { kind: "all" });
  await dropIfEmpty(session, from.current.schema);
}

/** Another run of the same has put its own in place meanwhile: what is there is as new as this would be. */
function goneAside(spec: StreamSpec): LeatError {
  return new LeatError("STATE_CONFLICT", {
    message: `${spec.source}.${spec.name}: another full load has ended meanwhile, and has taken the rows that this one had made aside.`,
    hint: "Run it again if need be; what is there is whole.",
  });
}

/** Removes the tables, and the schemas where nothing else is left in them. Inside a transaction. */
export async function removeTables(session: PostgresSession, spec: StreamSpec): Promise<void> {
  if (!(await hasCatalog(session))) return;
  await lockStream(session, spec);
  await forgetStream(session, spec);
  if (await hasOwners(session)) await session.run(`DELETE FROM ${owners(session)} WHERE ${ofStream(spec)}`);
  await refreshShortNames(session);
  await dropIfEmpty(session, relationsOf(session.address, spec).current.schema);
  await dropOwnSchema(session);
}

/** Drops a schema in which nothing is left, where we may. */
async function dropIfEmpty(session: PostgresSession, schema: string): Promise<void> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_namespace n
     WHERE n.nspname = ${quoteText(schema)} AND pg_has_role(n.nspowner, 'USAGE')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid)`,
  );
  if (rows.length > 0) await session.run(`DROP SCHEMA ${quoteName(schema)}`);
}

/** Once nothing is loaded, shared or published, leat's own tables and functions go, and their schema with them. */
async function dropOwnSchema(session: PostgresSession): Promise<void> {
  const inUse = ["streams", "loads", "datasets", "shares"] as const;
  for (const table of inUse) {
    if (table === "shares" && !(await hasOwners(session))) continue;
    const rows = await session.rows(`SELECT 1 AS one FROM ${ownTable(session, table)} LIMIT 1`);
    if (rows.length > 0) return;
  }
  const { schema } = session.address;
  const strangers = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ${quoteText(schema)} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND NOT starts_with(c.relname, '_leat_') LIMIT 1`,
  );
  const owned = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_namespace
     WHERE nspname = ${quoteText(schema)} AND pg_has_role(nspowner, 'USAGE')`,
  );
  if (strangers.length === 0 && owned.length > 0)
    await session.run(`DROP SCHEMA ${quoteName(schema)} CASCADE`);
}

/** How the customer can check the current rows, and the history; the same in every session, whatever its settings. */
export async function checkQueries(
  session: PostgresSession,
  spec: StreamSpec,
): Promise<readonly CheckQuery[]> {
  const { current, history } = relationsOf(session.address, spec);
  const views = spec.isCurrentOnly === true ? [current] : [current, history];
  const queries: CheckQuery[] = [];
  for (const view of views) queries.push({ table: view.sql, sql: await checkSql(session, view) });
  return queries;
}

async function checkSql(session: PostgresSession, view: RelationName): Promise<string> {
  const rows = await session.rows(
    `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = ${quoteText(view.sql)}::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  );
  const cells = rows.map((row) => {
    const cell = `r.${quoteName(text(row, "name"))}`;
    // Printed by JSON, a time with a zone would be told in the session's.
    return row["type"] === "timestamp with time zone" ? `${cell} AT TIME ZONE 'UTC'` : cell;
  });
  const hash = `('x' || left(md5(to_jsonb(ROW(${cells.join(", ")}))::text), 15))::bit(60)::bigint`;
  return `SELECT count(*) AS row_count, coalesce(sum(${hash}), 0)::text AS checksum FROM ${view.sql} AS r`;
}
