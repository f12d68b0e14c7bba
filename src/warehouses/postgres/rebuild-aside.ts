/**
 * Streams rebuilt in a schema of their own, and moved into the warehouse's place in one transaction: until then everybody
 * sees the old tables, afterwards the new ones.
 */
import { randomBytes } from "node:crypto";
import type { StreamSpec } from "../../model/stream.ts";
import type { Warehouse } from "../../ports/warehouse.ts";
import {
  hasCatalog,
  lockSchema,
  lockStream,
  makeCatalog,
  makeSchema,
  type OwnTable,
  ofStream,
  ownTable,
  readColumns,
  readStreams,
  writeStream,
} from "./catalog.ts";
import { forgetStream } from "./forget-stream.ts";
import { relationsOf } from "./landing-table.ts";
import { defaultSettings, openPostgres, type PostgresOptions } from "./open-postgres.ts";
import { isOwn, markOwn, readRelation } from "./own-relations.ts";
import { type PostgresAddress, parsePostgresAddress, schemaBytesMax } from "./postgres-address.ts";
import { toLeatError } from "./postgres-errors.ts";
import {
  CommitUnanswered,
  type PostgresSession,
  type PostgresSettings,
  withPostgres,
} from "./postgres-session.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import { dropViews, refreshViews } from "./views.ts";

/** A warehouse beside another. */
export type PostgresAside = Readonly<{
  /** Empty at first. */
  warehouse: Warehouse;
  /**
   * Puts streams in the place of those that are there, in one transaction.
   *
   * @returns the schema where the old tables are kept; `null` where they are not.
   */
  swapIn(
    specs: readonly StreamSpec[],
    options: Readonly<{ keepsOld: boolean }>,
    signal: AbortSignal,
  ): Promise<string | null>;
  /** Takes away what is left of it, and of those that were killed a day ago. Safe to call twice. */
  remove(): Promise<void>;
}>;

/** What stands between the schema's name and the digits. */
const infix = "_rebuild_";

/** A schema that is older was left by a process that died. */
const leftover = "interval '1 day'";

/** leat's tables with rows of streams, but for the streams themselves, whose views are made anew. */
const movedTables: readonly OwnTable[] = ["columns", "loads", "rejects"];

/** Opens a warehouse beside the one at `url`, in the same database. */
export function openPostgresAside(url: string, options: PostgresOptions): PostgresAside {
  const address = parsePostgresAddress(url);
  const digits = randomBytes(3).toString("hex");
  const schema = `${address.schema.slice(0, schemaBytesMax - infix.length - digits.length)}${infix}${digits}`;
  const asideUrl = new URL(url);
  asideUrl.searchParams.set("schema", schema);
  const aside = parsePostgresAddress(asideUrl.href);
  const settings = defaultSettings(address, options);
  return {
    warehouse: openPostgres(asideUrl.href, options),
    async swapIn(specs, { keepsOld }, signal) {
      const kept = keepsOld ? schema.replace(infix, "_before_") : null;
      await change(settings, signal, (session) => moveStreams(session, aside, specs, kept));
      return kept;
    },
    remove: () => change(settings, undefined, (session) => removeSchemas(session, aside)),
  };
}

async function change<Result>(
  settings: PostgresSettings,
  signal: AbortSignal | undefined,
  work: (session: PostgresSession) => Promise<Result>,
): Promise<Result> {
  try {
    return await withPostgres(settings, "load", signal, work);
  } catch (error) {
    throw error instanceof CommitUnanswered ? toLeatError(error.cause, settings.address.url) : error;
  }
}

async function moveStreams(
  session: PostgresSession,
  aside: PostgresAddress,
  specs: readonly StreamSpec[],
  kept: string | null,
): Promise<void> {
  for (const spec of specs) await lockStream(session, spec);
  await makeCatalog(session);
  await lockSchema(session);
  const from = { ...session, address: aside };
  if (!(await hasCatalog(from))) return; // Nothing was landed.
  if (kept !== null) await makeSchema(session, kept);
  for (const spec of specs) {
    const built = (await readStreams(from)).find(
      ({ source, stream }) => source === spec.source && stream === spec.name,
    );
    const columns = await readColumns(from, spec);
    await dropViews(session, spec);
    if (kept !== null) await keepOld(session, spec, kept);
    await forgetStream(session, spec);
    if (built === undefined) continue;
    await dropViews(from, spec);
    const own = relationsOf(session.address, spec);
    await session.run(
      `ALTER TABLE ${relationsOf(aside, spec).landing.sql} SET SCHEMA ${quoteName(session.address.schema)}`,
    );
    await markOwn(session, "TABLE", own.landing, `what was landed of ${spec.source}.${spec.name}`);
    for (const table of movedTables)
      await session.run(
        `INSERT INTO ${ownTable(session, table)} SELECT * FROM ${ownTable(from, table)} WHERE ${ofStream(spec)}`,
      );
    const stream = { ...built, shape: "" };
    await writeStream(session, stream);
    await makeSchema(session, own.current.schema);
    await refreshViews(session, spec, stream, columns, { kind: "all" });
  }
}

/** Moves the old table out of the way; whatever views are built on it go along. */
async function keepOld(session: PostgresSession, spec: StreamSpec, kept: string): Promise<void> {
  const { landing } = relationsOf(session.address, spec);
  const there = await readRelation(session, landing);
  if (there === undefined || !isOwn(session, there)) return;
  await session.run(`ALTER TABLE ${landing.sql} SET SCHEMA ${quoteName(kept)}`);
  const old = `${quoteName(kept)}.${quoteName(landing.name)}`;
  await session.run(`COMMENT ON TABLE ${old} IS 'before a rebuild of leat'`);
}

/** Every schema whose name begins as the aside's does: its own, those of its views, and those of dead rebuilds. */
async function removeSchemas(session: PostgresSession, aside: PostgresAddress): Promise<void> {
  const family = aside.schema.slice(0, aside.schema.lastIndexOf("_") + 1);
  const rows = await session.rows(
    `SELECT n.nspname AS name FROM pg_catalog.pg_namespace n
     WHERE starts_with(n.nspname, ${quoteText(family)}) AND pg_has_role(n.nspowner, 'USAGE')`,
  );
  for (const row of rows) {
    const name = row["name"] ?? "";
    const root = name.slice(0, aside.schema.length);
    if (root !== aside.schema && !(await isLeftover(session, root))) continue;
    await session.run(`DROP SCHEMA IF EXISTS ${quoteName(name)} CASCADE`);
  }
}

/** By when its warehouse was made; one whose catalog is gone already is a leftover of a removal. */
async function isLeftover(session: PostgresSession, schema: string): Promise<boolean> {
  const of = { ...session, address: { ...session.address, schema } };
  if (!(await hasCatalog(of))) return false;
  const rows = await session.rows(
    `SELECT 1 AS one FROM ${ownTable(of, "warehouse")} WHERE created_at < now() - ${leftover}`,
  );
  return rows.length > 0;
}
