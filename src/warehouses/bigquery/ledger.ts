/** What the ledger says of a stream, and whether the table says the same. */
import { LeatError } from "../../errors/leat-error.ts";
import { type TenantId, toTenantId } from "../../model/ids.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { LedgerRow, PackageToLoad } from "../../ports/warehouse.ts";
import { type Catalog, type CatalogStream, ofStream } from "./catalog.ts";
import type { Queries } from "./queries.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import type { Tables } from "./tables.ts";

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
export async function readTotals({ queries, catalog }: LedgerPorts, spec: StreamSpec): Promise<Totals> {
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
  loaded: number,
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
  if (row === undefined) return; // Another load committed between the two looks.
  const [tenant, seq, rows, expected] = row;
  throw new LeatError("LEDGER_MISMATCH", {
    message: `${name} (tenant ${tenant}): package ${seq} has ${rows} rows in the table, but ${
      expected === null ? "no ledger row" : `${expected} in the ledger`
    }; nothing was loaded.`,
    hint: rebuildHint("edited", spec),
    details: { source: spec.source, stream: spec.name, tenant, seq: Number(seq) },
  });
}

/** The packages that are not in the warehouse yet. @throws LeatError `LEDGER_MISMATCH`. */
export async function leaveOutLoaded(
  ports: LedgerPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
): Promise<readonly PackageToLoad[]> {
  if (packages.length === 0) return [];
  const loaded = await readLedgerRows(ports, spec, amongSql(packages));
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
