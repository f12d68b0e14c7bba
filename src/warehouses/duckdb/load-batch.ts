/**
 * A batch of packages in one transaction: ledger check, schema, rows, rejects, ledger rows, views. All or nothing (I11).
 *
 * A value that the engine cannot read as planned aborts its transaction. Then the batch begins again with the package
 * concerned read cell by cell; one that fails so as well fails the batch.
 */
import assert from "node:assert/strict";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { keepTypes, type PlaceColumns, planSchema, type SchemaPlan } from "../../model/plan-schema.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { BatchReceipt, LedgerRow, PackageToLoad, ReopenPackage } from "../../ports/warehouse.ts";
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
import { type DuckDbSession, throwIfStopped } from "./duckdb-file.ts";
import { isValueError } from "./engine-errors.ts";
import { groupPackages, insertGroup } from "./insert-group.ts";
import { insertPackage, type LandingTarget, type PackageCounts, planPackage } from "./insert-package.ts";
import { applySchema, findStream, landingOf } from "./landing-table.ts";
import { anyOf, quoteName, quoteText } from "./sql-text.ts";
import type { StagingTools } from "./stage-exact.ts";
import { dropOlderVersions, refreshViews, type TouchedRows } from "./views.ts";

/** What a batch is loaded with. */
export type BatchPorts = Readonly<{
  session: DuckDbSession;
  file: string;
  tools: StagingTools;
  reopen: ReopenPackage;
  signal: AbortSignal;
}>;

/**
 * Restarts of one batch, each of which finds one more package that its manifest tells wrongly. No scanner of leat's
 * makes such manifests; beyond this the batch fails, and its packages are loaded one by one.
 */
const restartsMax = 20;

/** What earlier tries of a batch have found; how a package is read depends on the package alone (I14). */
type BatchFindings = Readonly<{ distrusted: Set<string>; alone: Set<string> }>;

/** Loads a batch; see `Warehouse.load`. */
export async function loadBatch(
  ports: BatchPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
): Promise<BatchReceipt> {
  const findings: BatchFindings = { distrusted: new Set(), alone: new Set() };
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await inTransaction(ports.session, () => loadOnce(ports, spec, packages, findings));
    } catch (error) {
      if (!(error instanceof UnreadablePackages)) throw error;
      const names = error.packages.map(nameOf);
      if (restarts === restartsMax || names.every((name) => findings.distrusted.has(name))) throw error.cause;
      for (const name of names) (names.length > 1 ? findings.alone : findings.distrusted).add(name);
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
    const { plan, changed } = await changeSchema(session, spec, place, "add-columns", []);
    await refreshViews(session, spec, changed, plan, { kind: "none" });
  });
}

/** Makes the views of a loaded stream again. Inside the caller's transaction. */
export async function remakeViews(session: DuckDbSession, spec: StreamSpec): Promise<void> {
  const { mine } = await findStream(session, spec);
  assert(mine !== undefined, "the stream is loaded");
  const { plan, changed } = await changeSchema(session, spec, mine, "add-columns", []);
  await refreshViews(session, spec, changed, plan, { kind: "all" });
}

/** Files that the engine could not read as planned: one package's, or of a group one's. Never leaves this file. */
class UnreadablePackages extends Error {
  readonly packages: readonly PackageToLoad[];
  constructor(packages: readonly PackageToLoad[], cause: unknown) {
    super("unreadable as planned", { cause });
    this.packages = packages;
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
  findings: BatchFindings,
): Promise<BatchReceipt> {
  const { session } = ports;
  await makeCatalog(session, ports.file);
  const waiting = await leaveOutLoaded(session, spec, packages);
  if (waiting.length === 0) return { packages: [], changes: [] };
  const newest = waiting.at(-1)!;
  const place = { tenantColumn: newest.tenantColumn, partitionColumn: newest.partitionColumn };
  const { plan, changed, stale } = await changeSchema(session, spec, place, "change-types", waiting);
  const target: LandingTarget = { spec, place: changed, columns: plan.columns };
  await reload(ports, target, stale, findings);
  const counts = await insertAll(ports, target, waiting, findings);
  const receipts = waiting.map((pack) => ({ tenant: pack.tenant, seq: pack.seq, ...counts.get(pack)! }));
  await session.run(ledgerInsert(spec, waiting, counts));
  if (spec.isCurrentOnly === true) await dropOlderVersions(session, spec, changed, plan);
  const touched: TouchedRows = { kind: "packages", packages: waiting };
  await refreshViews(session, spec, changed, plan, stale.length > 0 ? { kind: "all" } : touched);
  return { packages: receipts, changes: plan.changes };
}

async function insertAll(
  ports: BatchPorts,
  target: LandingTarget,
  packages: readonly PackageToLoad[],
  { distrusted, alone }: BatchFindings,
): Promise<ReadonlyMap<PackageToLoad, PackageCounts>> {
  const counts = new Map<PackageToLoad, PackageCounts>();
  const plans = packages.map((pack) => planPackage(target, pack, distrusted.has(nameOf(pack))));
  for (const group of groupPackages(plans, (pack) => alone.has(nameOf(pack)))) {
    throwIfStopped(ports.signal);
    const [first] = group.plans;
    try {
      if (group.plans.length > 1) {
        for (const [pack, count] of await insertGroup(ports.session, target, group)) counts.set(pack, count);
      } else {
        counts.set(
          first!.pack,
          await insertPackage(ports.session, ports.tools, target, first!, ports.signal),
        );
      }
    } catch (error) {
      const inGroup = group.plans.map(({ pack }) => pack);
      if (isValueError(error)) throw new UnreadablePackages(inGroup, error);
      throw inGroup.length > 1 ? error : atPackage(error, target.spec, first!.pack);
    }
  }
  return counts;
}

type StalePackage = Readonly<{ tenant: PackageToLoad["tenant"]; row: LedgerRow }>;

/**
 * Plans and makes the table's changes; says which loaded packages must be read again (I14).
 *
 * @param may - `add-columns` leaves the types of columns that are there to the next load, which can read packages again.
 */
async function changeSchema(
  session: DuckDbSession,
  spec: StreamSpec,
  wanted: PlaceColumns,
  may: "add-columns" | "change-types",
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
  const wholePlan = planSchema(spec, place, recorded, tables, established.length > 0);
  const plan = may === "change-types" ? wholePlan : keepTypes(wholePlan);
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

/** Takes loaded packages out and loads them again from their landed files with the columns' new types. */
async function reload(
  ports: BatchPorts,
  target: LandingTarget,
  stale: readonly StalePackage[],
  findings: BatchFindings,
): Promise<void> {
  if (stale.length === 0) return;
  const { session } = ports;
  const { spec, place } = target;
  const all = stale.map(({ tenant, row }) => `(${quoteText(tenant)}, ${row.seq})`).join(", ");
  const tenantColumn = quoteName(place.tenantColumn);
  await session.run(`DELETE FROM ${landingOf(spec)} WHERE (${tenantColumn}, _leat_package) IN (${all})`);
  const ofSpec = ofStream(placeOf(spec));
  await session.run(`DELETE FROM main._leat_rejects WHERE ${ofSpec} AND (tenant, seq) IN (${all})`);
  for (const { tenant, row } of stale) {
    // One at a time: each brings its landed files onto this disk.
    const pack = await ports.reopen(tenant, row.seq);
    if (pack.manifestHash !== row.manifestHash)
      throw mismatch(spec, pack, "was loaded from another manifest");
    const { loaded, rejected } = (await insertAll(ports, target, [pack], findings)).get(pack)!;
    await session.run(
      `UPDATE main._leat_loads SET loaded = ${loaded}, rejected = ${rejected} ` +
        `WHERE ${ofSpec} AND tenant = ${quoteText(tenant)} AND seq = ${row.seq}`,
    );
  }
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
    // Where only current rows are kept, a package may have lost some or all of its rows since.
    if (spec.isCurrentOnly === true ? held > row.loaded : held !== row.loaded)
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
  packages: readonly PackageToLoad[],
  counts: ReadonlyMap<PackageToLoad, PackageCounts>,
): string {
  const rows = packages.map((pack) => {
    const place = [spec.source, spec.name, pack.tenant].map(quoteText).join(", ");
    const { loaded, rejected } = counts.get(pack)!;
    return (
      `(${place}, ${pack.seq}, ${quoteText(pack.manifestHash)}, ${loaded}, ${rejected}, ` +
      `${pack.generation}, ${pack.completesGeneration}, now())`
    );
  });
  return `INSERT INTO main._leat_loads VALUES ${rows.join(", ")}`;
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
