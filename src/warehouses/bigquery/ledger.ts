/**
 * What the ledger says of a stream, and whether the table says the same. The heads say it without the ledger being read,
 * where they can be believed (turn-table.ts).
 */
import assert from "node:assert/strict";
import { LeatError } from "../../errors/leat-error.ts";
import { type TenantId, toTenantId } from "../../model/ids.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { LedgerRow, LoadReceipt, PackageToLoad } from "../../ports/warehouse.ts";
import { type Catalog, type CatalogStream, ofStream } from "./catalog.ts";
import type { Queries } from "./queries.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import type { Tables } from "./tables.ts";
import { differingHeadSql, type TenantHeads, type Turns, turnTable } from "./turn-table.ts";

/** What the ledger is read with. */
export type LedgerPorts = Readonly<{ queries: Queries; catalog: Catalog; tables: Tables }>;

/** A ledger row with its tenant. */
export type TenantRow = Readonly<{ tenant: TenantId; row: LedgerRow }>;

/** Names a package among those of a stream. */
export const nameOf = ({ tenant, seq }: Readonly<{ tenant: string; seq: number }>): string =>
  `${seq} ${tenant}`;

/** What the ledger of a stream adds up to. */
export type Totals = Readonly<{ count: number; loaded: number; hasGenerations: boolean }>;

/** Adds the ledger up. */
export async function readTotals(
  { queries, catalog }: LedgerPorts,
  spec: StreamSpec,
  heads: TenantHeads | undefined,
): Promise<Totals> {
  if (heads !== undefined) {
    const all = [...heads.values()];
    return {
      count: all.reduce((sum, { packages }) => sum + packages, 0),
      loaded: all.reduce((sum, { loadedTotal }) => sum + loadedTotal, 0),
      hasGenerations: all.some(({ isRefreshed }) => isRefreshed),
    };
  }
  const [row] = await queries.rows(
    `SELECT COUNT(*), IFNULL(SUM(loaded), 0), COUNTIF(generation <> 0) FROM ${catalog.path("_leat_loads")} WHERE ${ofStream(spec)}`,
    `read the ledger of ${spec.source}.${spec.name}`,
  );
  const [count = 0, loaded = 0, refreshed = 0] = (row ?? []).map(Number);
  return { count, loaded, hasGenerations: refreshed > 0 };
}

/** The table's own count of rows is free to read; only where it differs from the ledger's are rows looked at. */
export async function checkTable(
  ports: LedgerPorts,
  spec: StreamSpec,
  mine: CatalogStream,
  { loaded, heads }: Readonly<{ loaded: number; heads: TenantHeads | undefined }>,
): Promise<void> {
  const place = ports.catalog.place(mine.physicalTable);
  const found = await ports.tables.find(place);
  const name = `${spec.source}.${spec.name}`;
  if (found === undefined)
    throw new LeatError("LEDGER_MISMATCH", {
      message: `${name}: its table ${place.dataset}.${place.table} is gone; nothing was loaded.`,
      hint: rebuildHint("dropped", spec),
      details: { source: spec.source, stream: spec.name, table: place.table },
    });
  // Where only current rows are kept, packages lose rows to later ones.
  if (found.rowCount === loaded || (spec.isCurrentOnly === true && found.rowCount < loaded)) return;
  const held =
    `SELECT ${quoteName(mine.tenantColumn)} AS tenant, ${leatColumns.package} AS seq, COUNT(*) AS held ` +
    `FROM ${ports.catalog.path(mine.physicalTable)} GROUP BY 1, 2`;
  const [row] = await ports.queries.rows(
    `SELECT tenant, seq, IFNULL(h.held, 0), l.loaded FROM (${held}) AS h FULL JOIN (SELECT tenant, seq, loaded ` +
      `FROM ${ports.catalog.path("_leat_loads")} WHERE ${ofStream(spec)}) AS l USING (tenant, seq) ` +
      "WHERE IFNULL(h.held, 0) <> IFNULL(l.loaded, -1) ORDER BY tenant, seq LIMIT 1",
    `compare ${name} with its ledger`,
  );
  // Either another load committed between the two looks, or the heads are not what the ledger says.
  if (row === undefined) return heads === undefined ? undefined : await checkHeads(ports, spec);
  const [tenant, seq, rows, expected] = row;
  throw new LeatError("LEDGER_MISMATCH", {
    message: `${name} (tenant ${tenant}): package ${seq} has ${rows} rows in the table, but ${
      expected === null ? "no ledger row" : `${expected} in the ledger`
    }; nothing was loaded.`,
    hint: rebuildHint("edited", spec),
    details: { source: spec.source, stream: spec.name, tenant, seq: Number(seq) },
  });
}

/** Whether the heads, where there are any, are what the ledger says. @throws LeatError `LEDGER_MISMATCH`. */
export async function checkHeads({ queries, catalog }: LedgerPorts, spec: StreamSpec): Promise<void> {
  const name = `${spec.source}.${spec.name}`;
  const turns = catalog.path(turnTable(spec));
  const [row] = await queries.rows(
    differingHeadSql(turns, catalog.path("_leat_loads"), ofStream(spec)),
    `compare the heads of ${name} with its ledger`,
  );
  if (row === undefined) return;
  const [tenant, ...told] = row;
  const say = ([seq, packages, loaded]: readonly (string | null)[]) =>
    seq === null ? "none" : `${packages} up to ${seq} with ${loaded} rows`;
  throw new LeatError("LEDGER_MISMATCH", {
    message: `${name} (tenant ${tenant}): of loaded packages the ledger has ${say(told.slice(3))}, its sum in ${turnTable(spec)} ${say(told)}.`,
    hint: rebuildHint("edited", spec),
    details: { source: spec.source, stream: spec.name, tenant },
  });
}

/** The packages that are not in the warehouse yet. @throws LeatError `LEDGER_MISMATCH`. */
export async function leaveOutLoaded(
  ports: LedgerPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
  heads: TenantHeads | undefined,
): Promise<readonly PackageToLoad[]> {
  // Nothing behind a tenant's newest package was ever loaded.
  const asked =
    heads === undefined
      ? packages
      : packages.filter(({ tenant, seq }) => seq <= (heads.get(tenant)?.newest.seq ?? 0));
  if (asked.length === 0) return packages;
  const loaded = await readLedgerRows(ports, spec, amongSql(asked));
  const rowOf = new Map(loaded.map(({ tenant, row }) => [nameOf({ tenant, seq: row.seq }), row]));
  return packages.filter((pack) => {
    const row = rowOf.get(nameOf(pack));
    if (row === undefined) return true;
    if (row.manifestHash !== pack.manifestHash)
      throw mismatch(spec, pack, "was loaded from another manifest");
    if (row.loaded + row.rejected !== pack.landed)
      throw mismatch(spec, pack, `landed ${pack.landed}, but the ledger has ${row.loaded} + ${row.rejected}`);
    return false;
  });
}

/**
 * What became of packages that a commit has loaded.
 *
 * @param commit - `turn`: its count; `before`: the heads that it has only added to, `undefined` where there were none.
 */
export async function readReceipts(
  ports: LedgerPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
  { turn, before }: Readonly<{ turn: number; before: TenantHeads | undefined }>,
): Promise<readonly LoadReceipt[]> {
  const after: Turns = await ports.catalog.readTurns(spec);
  const isWhole = wholeTenants(packages, before, after.turn === turn ? after.heads : undefined);
  const others = packages.filter(({ tenant }) => !isWhole(tenant));
  const rows = others.length === 0 ? [] : await readLedgerRows(ports, spec, amongSql(others));
  const rowOf = new Map(rows.map(({ tenant, row }) => [nameOf({ tenant, seq: row.seq }), row]));
  return packages.map(({ tenant, seq, landed }) => {
    if (isWhole(tenant)) return { tenant, seq, loaded: landed, rejected: 0 };
    const row = rowOf.get(nameOf({ tenant, seq }));
    assert(row !== undefined, "what was committed is in the ledger");
    return { tenant, seq, loaded: row.loaded, rejected: row.rejected };
  });
}

/** Tenants whose rows have grown by as many as their packages landed: nothing of them was rejected. */
function wholeTenants(
  packages: readonly PackageToLoad[],
  before: TenantHeads | undefined,
  after: TenantHeads | undefined,
): (tenant: TenantId) => boolean {
  if (before === undefined || after === undefined) return () => false;
  const grown = new Map<TenantId, number>();
  for (const { tenant, landed } of packages) grown.set(tenant, (grown.get(tenant) ?? 0) + landed);
  const rowsOf = (heads: TenantHeads, tenant: TenantId) => heads.get(tenant)?.loadedTotal ?? 0;
  return (tenant) => rowsOf(after, tenant) - rowsOf(before, tenant) === grown.get(tenant);
}

/** `tenant` and `seq` are of one of these packages. */
export function amongSql(packages: readonly Readonly<{ tenant: string; seq: number }>[]): string {
  const ofTenant = Map.groupBy(packages, ({ tenant }) => tenant);
  const conditions = [...ofTenant].map(
    ([tenant, some]) =>
      `(tenant = ${quoteText(tenant)} AND seq IN (${some.map(({ seq }) => seq).join(", ")}))`,
  );
  return `(${conditions.join(" OR ")})`;
}

/** Ledger rows of a stream under a condition, in the order of tenant and seq. */
export async function readLedgerRows(
  { queries, catalog }: Pick<LedgerPorts, "queries" | "catalog">,
  spec: StreamSpec,
  condition: string,
): Promise<readonly TenantRow[]> {
  const rows = await queries.rows(
    "SELECT tenant, seq, manifest_hash, loaded, rejected, generation " +
      `FROM ${catalog.path("_leat_loads")} WHERE ${ofStream(spec)} AND ${condition} ORDER BY tenant, seq`,
    `read the ledger of ${spec.source}.${spec.name}`,
  );
  return rows.map(([tenant, seq, manifestHash, loaded, rejected, generation]) => ({
    tenant: toTenantId(tenant ?? ""),
    row: {
      seq: Number(seq),
      manifestHash: manifestHash ?? "",
      loaded: Number(loaded),
      rejected: Number(rejected),
      generation: Number(generation),
    },
  }));
}

/** What stands in the way of believing ledger or log. */
export function mismatch(spec: StreamSpec, { tenant, seq }: PackageToLoad, what: string): LeatError {
  return new LeatError("LEDGER_MISMATCH", {
    message: `${spec.source}.${spec.name} (tenant ${tenant}): package ${seq} ${what}; nothing was loaded.`,
    hint: rebuildHint("edited", spec),
    details: { source: spec.source, stream: spec.name, tenant, seq },
  });
}

const rebuildHint = (deed: string, { source, name }: StreamSpec): string =>
  `Somebody ${deed} the table: run \`leat rebuild ${source}.${name}\`, which makes it again from the landing.`;
