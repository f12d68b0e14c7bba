/** Makes and keeps what people query: current rows (a view, or a table kept by delta), the history, short names. */
import { createHash } from "node:crypto";
import { foldColumnName } from "../../model/column-names.ts";
import { printColumnType } from "../../model/column-types.ts";
import type { PlaceColumns, SchemaPlan } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { ViewedStream } from "../../model/stream-view.ts";
import type { PackageToLoad } from "../../ports/warehouse.ts";
import { type CatalogStream, ofStream, placeOf, readStreams, writeStream } from "./catalog.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { historyName, landingOf, readShortNames, shortNameComment } from "./landing-table.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import { currentSql, historySql, keylessSql, keySql, newestSql, sameRecordSql } from "./view-sql.ts";

/** Which landed rows have changed since the current rows were last kept. */
export type TouchedRows =
  | Readonly<{ kind: "none" }>
  | Readonly<{ kind: "all" }>
  | Readonly<{ kind: "packages"; packages: readonly PackageToLoad[] }>;

/** Brings views, materialised rows and short names up to date. Inside the transaction of the change. */
export async function refreshViews(
  session: DuckDbSession,
  spec: StreamSpec,
  stream: CatalogStream,
  plan: SchemaPlan,
  touched: TouchedRows,
): Promise<void> {
  const inputs = await viewInputs(session, spec, stream, plan.columns);
  const current = currentSql(inputs);
  const types = plan.columns.map(({ type }) => printColumnType(type)).join(" ");
  const shape = createHash("sha256")
    .update(`${spec.isMaterialized} ${types} ${current} ${historySql(inputs)}`)
    .digest("hex");
  const name = `${quoteName(spec.source)}.${quoteName(spec.name)}`;
  const makeCurrent = () =>
    session.run(`CREATE ${spec.isMaterialized ? "TABLE" : "OR REPLACE VIEW"} ${name} AS ${current}`);
  const history = `${quoteName(spec.source)}.${quoteName(historyName(spec.name))}`;
  const makeHistory = () => session.run(`CREATE OR REPLACE VIEW ${history} AS ${historySql(inputs)}`);
  const there = await readRelations(session);
  const old = there.kindOf(spec.source, spec.name);
  if (shape !== stream.shape) {
    if (old !== undefined && (spec.isMaterialized || old === "TABLE"))
      await session.run(`DROP ${old} ${name}`);
    await makeCurrent();
    await makeHistory();
    await writeStream(session, { ...stream, shape });
    await refreshShortNames(session);
    return;
  }
  // What somebody has dropped comes back; what somebody has put in its place is theirs.
  const hasHistory = there.kindOf(spec.source, historyName(spec.name)) !== undefined;
  if (old === undefined) await makeCurrent();
  if (!hasHistory) await makeHistory();
  if (old === undefined || !hasHistory) await refreshShortNames(session);
  if (old === undefined || !spec.isMaterialized) return;
  if (touched.kind === "all") {
    await session.run(`DELETE FROM ${name}`);
    await session.run(`INSERT INTO ${name} ${current}`);
  } else if (touched.kind === "packages") {
    await applyDelta(session, inputs, name, touched.packages);
  }
}

/** Leaves of each record its newest version, a deletion too: a version that comes late must not count as new. */
export async function dropOlderVersions(
  session: DuckDbSession,
  spec: StreamSpec,
  place: PlaceColumns,
  plan: SchemaPlan,
): Promise<void> {
  const inputs = await viewInputs(session, spec, place, plan.columns);
  const row = [quoteName(place.tenantColumn), leatColumns.package, leatColumns.row].join(", ");
  await session.run(
    `DELETE FROM ${landingOf(spec)} WHERE (${row}) NOT IN (SELECT ${row} FROM (${newestSql(inputs)}))`,
  );
}

/** Reads what the views of a stream are made of. */
export async function viewInputs(
  session: DuckDbSession,
  spec: StreamSpec,
  place: PlaceColumns,
  columns: ViewedStream["columns"],
): Promise<ViewedStream> {
  const generations = await session.rows(
    `SELECT 1 AS one FROM main._leat_loads WHERE ${ofStream(placeOf(spec))} AND generation <> 0 LIMIT 1`,
  );
  return { spec, place, columns, hasGenerations: generations.length > 0 };
}

type RelationKind = "TABLE" | "VIEW";

/** What the file has by these names; the engine takes upper and lower case for the same, but for letters beyond ASCII. */
async function readRelations(
  session: DuckDbSession,
): Promise<Readonly<{ kindOf: (schema: string, name: string) => RelationKind | undefined }>> {
  const rows = await session.rows(
    `SELECT table_schema, table_name, table_type FROM information_schema.tables
     WHERE table_catalog = current_database()`,
  );
  const print = (...names: readonly unknown[]): string =>
    JSON.stringify(names.map((name) => String(name).replace(/[A-Z]+/g, (some) => some.toLowerCase())));
  const kinds = new Map(
    rows.map((row): [string, RelationKind] => [
      print(row["table_schema"], row["table_name"]),
      row["table_type"] === "VIEW" ? "VIEW" : "TABLE",
    ]),
  );
  return { kindOf: (schema, name) => kinds.get(print(schema, name)) };
}

/**
 * Takes the touched records out of the table and puts their current rows in, chosen again among all their versions: a
 * late arrival may be older than the row there, or than a deletion.
 */
async function applyDelta(
  session: DuckDbSession,
  inputs: ViewedStream,
  table: string,
  packages: readonly PackageToLoad[],
): Promise<void> {
  const tenant = quoteName(inputs.place.tenantColumn);
  const completed = new Set(
    packages.filter(({ completesGeneration }) => completesGeneration).map((pack) => pack.tenant),
  );
  const landing = landingOf(inputs.spec);
  for (const swapped of completed) {
    const isTheirs = `${tenant} = ${quoteText(swapped)}`;
    await session.run(`DELETE FROM ${table} WHERE ${isTheirs}`);
    await session.run(
      `INSERT INTO ${table} ${currentSql(inputs, `(SELECT * FROM ${landing} WHERE ${isTheirs})`)}`,
    );
  }
  const others = packages.filter((pack) => !completed.has(pack.tenant));
  if (others.length === 0) return;
  const arrived = others.map((pack) => `(${quoteText(pack.tenant)}, ${pack.seq})`).join(", ");
  const isNew = `(l.${tenant}, l.${leatColumns.package}) IN (${arrived})`;
  const { place, key } = keySql(inputs, "l");
  if (key.length > 0) {
    const parts = [...place, ...key].map((_, at) => `k${at}`);
    const named = [...place, ...key].map((part, at) => `${part} AS k${at}`);
    const isKeyed = `NOT (${keylessSql(inputs, "l")})`;
    const keys = `SELECT DISTINCT ${named.join(", ")} FROM ${landing} l WHERE ${isNew} AND ${isKeyed}`;
    await session.run(`CREATE OR REPLACE TEMP TABLE _leat_touched AS ${keys}`);
    const isTouched = (alias: string) =>
      sameRecordSql(
        inputs,
        alias,
        parts.map((part) => `t.${part}`),
      );
    await session.run(`DELETE FROM ${table} AS m USING _leat_touched AS t WHERE ${isTouched("m")}`);
    const versions = `(SELECT v.* FROM ${landing} v SEMI JOIN _leat_touched t ON ${isTouched("v")})`;
    await session.run(`INSERT INTO ${table} ${currentSql(inputs, versions)}`);
    await session.run("DROP TABLE temp._leat_touched");
  }
  const keyless = `(SELECT l.* FROM ${landing} l WHERE ${isNew} AND (${keylessSql(inputs, "l")}))`;
  await session.run(`INSERT INTO ${table} ${currentSql(inputs, keyless)}`);
}

/**
 * Lets `select * from plants` work without the schema, in any tool that opens the file: a view in `main` for every view
 * of a stream whose name nothing else has, neither another source's view nor a table in `main`.
 */
async function refreshShortNames(session: DuckDbSession): Promise<void> {
  const streams = await readStreams(session);
  const views = streams.flatMap(({ source, stream }) =>
    [stream, historyName(stream)].map((view) => ({ source, view, fold: foldColumnName(view) })),
  );
  for (const name of await readShortNames(session)) await session.run(`DROP VIEW main.${quoteName(name)}`);
  const rows = await session.rows(
    `SELECT table_name FROM information_schema.tables
     WHERE table_catalog = current_database() AND table_schema = 'main'`,
  );
  const taken = new Set(rows.map((row) => foldColumnName(String(row["table_name"]))));
  const there = await readRelations(session);
  for (const { source, view, fold } of views) {
    if (there.kindOf(source, view) === undefined) continue; // Dropped; the stream's next load makes it again.
    if (taken.has(fold) || views.filter((other) => other.fold === fold).length > 1) continue;
    const short = `main.${quoteName(view)}`;
    await session.run(`CREATE VIEW ${short} AS FROM ${quoteName(source)}.${quoteName(view)}`);
    await session.run(`COMMENT ON VIEW ${short} IS ${quoteText(shortNameComment)}`);
  }
}
