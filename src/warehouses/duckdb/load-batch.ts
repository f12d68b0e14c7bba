/**
 * A batch of packages in one transaction: ledger check, schema, rows, rejects, ledger rows, views. All or nothing (I11).
 *
 * A value that the engine cannot read as planned aborts its transaction. Then the batch begins again with the package
 * concerned read cell by cell; one that fails so as well fails the batch.
 */
import assert from "node:assert/strict";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type {
  BatchReceipt,
  LedgerRow,
  LoadReceipt,
  PackageToLoad,
  ReopenPackage,
} from "../../ports/warehouse.ts";
import {
  type CatalogStream,
  makeCatalog,
  ofStream,
  placeOf,
  readColumns,
  readLedgerRows,
  writeColumns,
  writeStream,
} from "./catalog.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { isValueError } from "./engine-errors.ts";
import { insertPackage, type LandingTarget } from "./insert-package.ts";
import { applySchema, findStream, landingOf } from "./landing-table.ts";
import { type PlaceColumns, planSchema, type SchemaPlan } from "./plan-schema.ts";
import { anyOf, quoteName, quoteText } from "./sql-text.ts";
import type { StagingTools } from "./stage-exact.ts";
import { refreshViews, type TouchedRows } from "./views.ts";

/** What a batch is loaded with. */
export type BatchPorts = Readonly<{
  session: DuckDbSession;
  file: string;
  tools: StagingTools;
  reopen: ReopenPackage;
  signal: AbortSignal;
}>;

/** Packages that proved wrong before all are distrusted: each costs the batch's work once more. */
const restartsMax = 3;

/** Loads a batch; see `Warehouse.load`. */
export async function loadBatch(
  ports: BatchPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
): Promise<BatchReceipt> {
  const distrusted = new Set<string>();
  for (let restarts = 0; ; restarts += 1) {
    const isDistrusted = (pack: PackageToLoad) => restarts >= restartsMax || distrusted.has(nameOf(pack));
    try {
      return await inTransaction(ports.session, () => loadOnce(ports, spec, packages, isDistrusted));
    } catch (error) {
      if (!(error instanceof UnreadablePackage)) throw error;
      if (isDistrusted(error.pack)) throw error.cause;
      distrusted.add(nameOf(error.pack));
    }
  }
}

/** Makes a stream's table and views, empty if need be. */
export async function prepareStream(
  ports: Readonly<{ session: DuckDbSession; file: string }>,
  spec: StreamSpec,
  place: PlaceColumns,
): Promise<void> {
  const { session, file } = ports;
  await inTransaction(session, async () => {
    await makeCatalog(session, file);
    const { plan, changed } = await changeSchema(session, spec, place, []);
    await refreshViews(session, spec, changed, plan, { kind: "none" });
  });
}

/** A package's files that the engine could not read as planned; never leaves this file. */
class UnreadablePackage extends Error {
  readonly pack: PackageToLoad;
  constructor(pack: PackageToLoad, cause: unknown) {
    super("package unreadable as planned", { cause });
    this.pack = pack;
  }
}

const nameOf = ({ tenant, seq }: PackageToLoad) => `${seq} ${tenant}`;

async function inTransaction<Result>(session: DuckDbSession, work: () => Promise<Result>): Promise<Result> {
  await session.connection.run("BEGIN TRANSACTION");
  let result: Result;
  try {
    result = await work();
    await session.run("COMMIT");
  } catch (error) {
    // After some failures there is nothing left to roll back, and the first error is the one that matters.
    await session.connection.run("ROLLBACK").catch(() => undefined);
    throw error;
  }
  return result;
}

async function loadOnce(
  ports: BatchPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
  isDistrusted: (pack: PackageToLoad) => boolean,
): Promise<BatchReceipt> {
  const { session } = ports;
  await makeCatalog(session, ports.file);
  const waiting = await leaveOutLoaded(session, spec, packages);
  if (waiting.length === 0) return { packages: [], changes: [] };
  const newest = waiting.at(-1)!;
  const place = { tenantColumn: newest.tenantColumn, partitionColumn: newest.partitionColumn };
  const { plan, changed, stale } = await changeSchema(session, spec, place, waiting);
  const target: LandingTarget = { spec, place: changed, columns: plan.columns };
  const insert = async (pack: PackageToLoad) => {
    try {
      return await insertPackage(session, ports.tools, target, pack, isDistrusted(pack), ports.signal);
    } catch (error) {
      if (isValueError(error)) throw new UnreadablePackage(pack, error);
      throw atPackage(error, spec, pack);
    }
  };
  for (const old of stale) await reload(ports, target, old, insert);
  const receipts: LoadReceipt[] = [];
  for (const pack of waiting) {
    const counts = await insert(pack);
    await session.run(ledgerInsert(spec, pack, counts));
    receipts.push({ tenant: pack.tenant, seq: pack.seq, ...counts });
  }
  const touched: TouchedRows = { kind: "packages", packages: waiting };
  await refreshViews(session, spec, changed, plan, stale.length > 0 ? { kind: "all" } : touched);
  return { packages: receipts, changes: plan.changes };
}

type StalePackage = Readonly<{ tenant: PackageToLoad["tenant"]; row: LedgerRow }>;

/** Plans and makes the table's changes; says which loaded packages must be read again (I14). */
async function changeSchema(
  session: DuckDbSession,
  spec: StreamSpec,
  wanted: PlaceColumns,
  packages: readonly PackageToLoad[],
): Promise<
  Readonly<{
    plan: SchemaPlan;
    changed: CatalogStream;
    stale: readonly StalePackage[];
  }>
> {
  const { mine } = await findStream(session, spec);
  const place = {
    tenantColumn: wanted.tenantColumn,
    partitionColumn: wanted.partitionColumn ?? mine?.partitionColumn,
  };
  const recorded = await readColumns(session, spec);
  const established = await session.rows(
    `SELECT 1 AS one FROM main._leat_loads WHERE ${ofStream(placeOf(spec))} LIMIT 1`,
  );
  const tables = packages.map((pack) => pack.columns);
  const plan = planSchema(spec, place, recorded, tables, established.length > 0);
  const stale = mine === undefined ? [] : await findStale(session, spec, mine.tenantColumn, plan);
  await applySchema(session, spec, plan, place, mine);
  await writeColumns(session, spec, plan.columns);
  const changed: CatalogStream = {
    source: spec.source,
    stream: spec.name,
    landingTable: spec.landingTable,
    ...place,
    shape: mine?.shape ?? "",
  };
  await writeStream(session, changed);
  return { plan, changed, stale };
}

/** Packages with a value in a column whose landed text is needed, or with rejects, which may fit now. Before the change. */
async function findStale(
  session: DuckDbSession,
  spec: StreamSpec,
  tenantColumn: string,
  plan: SchemaPlan,
): Promise<readonly StalePackage[]> {
  const reread = plan.columns.filter(({ change }) => change === "reread");
  if (plan.columns.every(({ change }) => change === "none")) return [];
  const held = anyOf(reread.map(({ before }) => `${quoteName(before!.name)} IS NOT NULL`));
  const packages =
    `SELECT ${quoteName(tenantColumn)}, _leat_package FROM ${landingOf(spec)} WHERE ${held} ` +
    `UNION SELECT tenant, seq FROM main._leat_rejects WHERE ${ofStream(placeOf(spec))}`;
  return await readLedgerRows(session, spec, `(tenant, seq) IN (${packages})`);
}

/** Takes a loaded package out and loads it again from its landed files with the columns' new types. */
async function reload(
  ports: BatchPorts,
  { spec, place }: LandingTarget,
  { tenant, row }: StalePackage,
  insert: (pack: PackageToLoad) => Promise<Readonly<{ loaded: number; rejected: number }>>,
): Promise<void> {
  const { session } = ports;
  const pack = await ports.reopen(tenant, row.seq);
  if (pack.manifestHash !== row.manifestHash) throw mismatch(spec, pack, "was loaded from another manifest");
  const tenantIs = `= ${quoteText(tenant)}`;
  const ofPackage = `${ofStream(placeOf(spec))} AND tenant ${tenantIs} AND seq = ${row.seq}`;
  await session.run(
    `DELETE FROM ${landingOf(spec)} ` +
      `WHERE ${quoteName(place.tenantColumn)} ${tenantIs} AND _leat_package = ${row.seq}`,
  );
  await session.run(`DELETE FROM main._leat_rejects WHERE ${ofPackage}`);
  const { loaded, rejected } = await insert(pack);
  await session.run(
    `UPDATE main._leat_loads SET loaded = ${loaded}, rejected = ${rejected} WHERE ${ofPackage}`,
  );
}

/**
 * The packages that are not in the warehouse yet.
 *
 * @throws LeatError `LEDGER_MISMATCH` when ledger, table and package do not tell the same story.
 */
async function leaveOutLoaded(
  session: DuckDbSession,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
): Promise<readonly PackageToLoad[]> {
  if (packages.length === 0) return [];
  assert(new Set(packages.map(nameOf)).size === packages.length, "a package comes once in a batch");
  const wanted = packages.map(({ tenant, seq }) => `(${quoteText(tenant)}, ${seq})`).join(", ");
  const ledger = await readLedgerRows(session, spec, `(tenant, seq) IN (${wanted})`);
  const rowOf = new Map(ledger.map(({ tenant, row }) => [`${row.seq} ${tenant}`, row]));
  const heldOf = await countHeld(session, spec, wanted);
  return packages.filter((pack) => {
    const row = rowOf.get(nameOf(pack));
    const held = heldOf.get(nameOf(pack)) ?? 0;
    if (row === undefined) {
      if (held > 0) throw mismatch(spec, pack, `has ${held} rows in the table, but no ledger row`);
      return true;
    }
    if (row.manifestHash !== pack.manifestHash)
      throw mismatch(spec, pack, "was loaded from another manifest");
    if (row.loaded + row.rejected !== pack.landed)
      throw mismatch(spec, pack, `landed ${pack.landed}, but the ledger has ${row.loaded} + ${row.rejected}`);
    if (held !== row.loaded)
      throw mismatch(spec, pack, `has ${held} rows in the table, but ${row.loaded} in the ledger`);
    return false;
  });
}

async function countHeld(
  session: DuckDbSession,
  spec: StreamSpec,
  wanted: string,
): Promise<ReadonlyMap<string, number>> {
  const { mine } = await findStream(session, spec);
  if (mine === undefined) return new Map();
  const tenant = quoteName(mine.tenantColumn);
  const rows = await session.rows(
    `SELECT ${tenant} AS tenant, _leat_package AS seq, count(*) AS held FROM ${landingOf(spec)}
     WHERE (${tenant}, _leat_package) IN (${wanted}) GROUP BY ALL`,
  );
  return new Map(rows.map((row) => [`${row["seq"]} ${row["tenant"]}`, Number(row["held"])]));
}

function ledgerInsert(
  spec: StreamSpec,
  pack: PackageToLoad,
  { loaded, rejected }: Readonly<{ loaded: number; rejected: number }>,
): string {
  const place = [spec.source, spec.name, pack.tenant].map(quoteText).join(", ");
  return (
    `INSERT INTO main._leat_loads VALUES (${place}, ${pack.seq}, ${quoteText(pack.manifestHash)}, ` +
    `${loaded}, ${rejected}, ${pack.generation}, ${pack.completesGeneration}, now())`
  );
}

function mismatch(spec: StreamSpec, { tenant, seq }: PackageToLoad, what: string): LeatError {
  return new LeatError("LEDGER_MISMATCH", {
    message: `${spec.source}.${spec.name} (tenant ${tenant}): package ${seq} ${what}; nothing was loaded.`,
    details: { source: spec.source, stream: spec.name, tenant, seq },
  });
}

function atPackage(error: unknown, spec: StreamSpec, { tenant, seq }: PackageToLoad): unknown {
  if (!isLeatError(error)) return error;
  return error.at({ source: spec.source, stream: spec.name, tenant, seq });
}
