/** Makes and keeps what people query: current rows (a view, or a table kept by delta), the history, short names. */
import { createHash } from "node:crypto";
import { foldColumnName } from "../../model/column-names.ts";
import { printColumnType } from "../../model/column-types.ts";
import type { CatalogColumn, PlaceColumns } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { PackageToLoad } from "../../ports/warehouse.ts";
import {
  type CatalogStream,
  lockSchema,
  makeSchema,
  ofStream,
  ownTable,
  readStreams,
  writeStream,
} from "./catalog.ts";
import { type RelationName, relationsOf, toName } from "./landing-table.ts";
import { claim, isOwn, isShortName, markOwn, readRelation, shortNameMark } from "./own-relations.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import {
  currentSql,
  historySql,
  keylessSql,
  keySql,
  newestSql,
  sameRecordSql,
  type ViewInputs,
} from "./view-sql.ts";

/** Which landed rows have changed since the current rows were last kept. */
export type TouchedRows =
  | Readonly<{ kind: "none" }>
  | Readonly<{ kind: "all" }>
  | Readonly<{ kind: "packages"; packages: readonly PackageToLoad[] }>;

/** Takes away a stream's views, which would keep their columns from changing. A kept table goes with them. */
export async function dropViews(session: PostgresSession, spec: StreamSpec): Promise<void> {
  const { current, history } = relationsOf(session.address, spec);
  for (const name of [history, current]) {
    const short = toName(session.address.schema, name.name);
    const there = await readRelation(session, short);
    if (there !== undefined && isShortName(session, there)) await session.run(`DROP VIEW ${short.sql}`);
    await claim(session, name, "own");
  }
}

/** Brings views, materialised rows and short names up to date. Inside the transaction of the change. */
export async function refreshViews(
  session: PostgresSession,
  spec: StreamSpec,
  stream: CatalogStream,
  columns: readonly CatalogColumn[],
  touched: TouchedRows,
): Promise<void> {
  const inputs = await viewInputs(session, spec, stream, columns);
  const { current, history } = relationsOf(session.address, spec);
  const select = currentSql(inputs);
  const types = columns.map(({ type }) => printColumnType(type)).join(" ");
  const shape = createHash("sha256")
    .update(`${spec.isMaterialized} ${types} ${select} ${historySql(inputs)}`)
    .digest("hex");
  if (shape !== stream.shape || !(await areThere(session, [current, history]))) {
    await lockSchema(session);
    await checkZone(session, spec);
    await makeSchema(session, current.schema); // It may have been dropped with the views in it.
    await dropViews(session, spec);
    const kind = spec.isMaterialized ? "TABLE" : "VIEW";
    await session.run(`CREATE ${kind} ${current.sql} AS ${select}`);
    await markOwn(session, kind, current, `the newest version of each record of ${spec.source}.${spec.name}`);
    await session.run(`CREATE VIEW ${history.sql} AS ${historySql(inputs)}`);
    await markOwn(session, "VIEW", history, `every version of each record of ${spec.source}.${spec.name}`);
    await writeStream(session, { ...stream, shape });
    await refreshShortNames(session);
  } else if (spec.isMaterialized && touched.kind === "all") {
    await session.run(`DELETE FROM ${current.sql}`);
    await session.run(`INSERT INTO ${current.sql} ${select}`);
  } else if (spec.isMaterialized && touched.kind === "packages") {
    await applyDelta(session, inputs, touched.packages);
  }
}

/** Whether the views are there: somebody may have dropped them, and they are made of what is in the table. */
async function areThere(session: PostgresSession, names: readonly RelationName[]): Promise<boolean> {
  for (const name of names) {
    const there = await readRelation(session, name);
    if (there === undefined || !isOwn(session, there)) return false;
  }
  return true;
}

/** A zone that the server does not know would make the views fail later, for whoever asks them. */
async function checkZone(session: PostgresSession, { cursor }: StreamSpec): Promise<void> {
  if (cursor !== undefined && cursor.zone !== "UTC")
    await session.rows(`SELECT timezone(${quoteText(cursor.zone)}, now())`);
}

/** Leaves of each record its newest version, a deletion too: a version that comes late must not count as new. */
export async function dropOlderVersions(
  session: PostgresSession,
  spec: StreamSpec,
  place: PlaceColumns,
  columns: readonly CatalogColumn[],
): Promise<void> {
  const inputs = await viewInputs(session, spec, place, columns);
  const row = [quoteName(place.tenantColumn), leatColumns.package, leatColumns.row];
  const isSame = row.map((name) => `n.${name} = l.${name}`).join(" AND ");
  await session.run(
    `DELETE FROM ${relationsOf(session.address, spec).landing.sql} AS l
     WHERE NOT EXISTS (SELECT 1 FROM (${newestSql(inputs)}) AS n WHERE ${isSame})`,
  );
}

/** Reads what the views of a stream are made of. */
export async function viewInputs(
  session: PostgresSession,
  spec: StreamSpec,
  place: PlaceColumns,
  columns: ViewInputs["columns"],
): Promise<ViewInputs> {
  const generations = await session.rows(
    `SELECT 1 AS one FROM ${ownTable(session, "loads")} WHERE ${ofStream(spec)} AND generation <> 0 LIMIT 1`,
  );
  return { address: session.address, spec, place, columns, hasGenerations: generations.length > 0 };
}

/**
 * Takes the touched records out of the table and puts their current rows in, chosen again among all their versions: a
 * late arrival may be older than the row there, or than a deletion.
 */
async function applyDelta(
  session: PostgresSession,
  inputs: ViewInputs,
  packages: readonly PackageToLoad[],
): Promise<void> {
  const { landing, current } = relationsOf(session.address, inputs.spec);
  const tenant = quoteName(inputs.place.tenantColumn);
  const completed = new Set(
    packages.filter(({ completesGeneration }) => completesGeneration).map((pack) => pack.tenant),
  );
  for (const swapped of completed) {
    const isTheirs = `${tenant} = ${quoteText(swapped)}`;
    await session.run(`DELETE FROM ${current.sql} WHERE ${isTheirs}`);
    const theirs = `(SELECT * FROM ${landing.sql} AS t WHERE ${isTheirs})`;
    await session.run(`INSERT INTO ${current.sql} ${currentSql(inputs, theirs)}`);
  }
  const others = packages.filter((pack) => !completed.has(pack.tenant));
  if (others.length === 0) return;
  const arrived = others.map((pack) => `(${quoteText(pack.tenant)}, ${pack.seq})`).join(", ");
  const isNew = `(l.${tenant}, l.${leatColumns.package}) IN (${arrived})`;
  const { place, key } = keySql(inputs, "l");
  if (key.length > 0) {
    const named = [...place, ...key].map((part, at) => `${part} AS k${at}`);
    const parts = named.map((_, at) => `t.k${at}`);
    const touched =
      `(SELECT DISTINCT ${named.join(", ")} FROM ${landing.sql} AS l ` +
      `WHERE ${isNew} AND NOT (${keylessSql(inputs, "l")})) AS t`;
    await session.run(
      `DELETE FROM ${current.sql} AS m USING ${touched} WHERE ${sameRecordSql(inputs, "m", parts)}`,
    );
    const versions =
      `(SELECT v.* FROM ${landing.sql} AS v ` +
      `WHERE EXISTS (SELECT 1 FROM ${touched} WHERE ${sameRecordSql(inputs, "v", parts)}))`;
    await session.run(`INSERT INTO ${current.sql} ${currentSql(inputs, versions)}`);
  }
  const keyless = `(SELECT l.* FROM ${landing.sql} AS l WHERE ${isNew} AND (${keylessSql(inputs, "l")}))`;
  await session.run(`INSERT INTO ${current.sql} ${currentSql(inputs, keyless)}`);
}

/**
 * Lets `select * from plants` work without the schema: a view in leat's schema for every view of a stream whose name
 * nothing else has, neither another source's view nor a table there. Those that are right stay as they are.
 */
export async function refreshShortNames(session: PostgresSession): Promise<void> {
  const { schema } = session.address;
  const views = (await readStreams(session)).flatMap((stream) => {
    const { current, history } = relationsOf(session.address, { ...stream, name: stream.stream });
    return [current, history].map((view) => ({ view, fold: foldColumnName(view.name) }));
  });
  const rows = await session.rows(
    `SELECT c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ${quoteText(schema)} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`,
  );
  const short = new Map<string, RelationName>();
  const taken = new Set<string>();
  for (const row of rows) {
    const name = toName(schema, row["name"] ?? "");
    const there = await readRelation(session, name);
    if (there !== undefined && isShortName(session, there)) short.set(name.name, name);
    else taken.add(foldColumnName(name.name));
  }
  const wanted = new Map<string, RelationName>();
  for (const { view, fold } of views)
    if (!taken.has(fold) && views.filter((other) => other.fold === fold).length === 1)
      wanted.set(view.name, view);
  for (const [name, { sql }] of short) if (!wanted.has(name)) await session.run(`DROP VIEW ${sql}`);
  for (const [name, view] of wanted) {
    if (short.has(name)) continue;
    // Somebody has dropped it; its stream makes both when it is loaded.
    if ((await readRelation(session, view)) === undefined) continue;
    const own = toName(schema, name);
    await session.run(`CREATE VIEW ${own.sql} AS SELECT * FROM ${view.sql}`);
    await markOwn(session, "VIEW", own, shortNameMark);
  }
}
