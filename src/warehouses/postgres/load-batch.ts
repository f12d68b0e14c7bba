/**
 * A batch of packages in one transaction: ledger check, schema, rows, rejects, ledger rows, views. All or nothing (I11).
 *
 * One lock for each stream keeps two loads of it apart, so that the ledger which is read is the ledger that is written.
 * A value which the server refuses although leat found it right ends the transaction; the batch then begins again with
 * that row among the rejects.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { BatchReceipt, PackageToLoad, ReopenPackage } from "../../ports/warehouse.ts";
import { lockStream, makeCatalog, ofStream, ownTable, readColumns, readLedgerRows } from "./catalog.ts";
import { changeSchema, type StalePackage } from "./change-schema.ts";
import {
  copyColumns,
  type ForcedRejects,
  type LandingTarget,
  nameOf,
  type PackageCounts,
  PackageRows,
  type ReadPart,
} from "./copy-packages.ts";
import { findStream, makeIndex, refuseAltered, relationsOf } from "./landing-table.ts";
import { firstLine, isConnectionLost, toLeatError, toServerError } from "./postgres-errors.ts";
import {
  CommitUnanswered,
  type PostgresSession,
  type PostgresSettings,
  throwIfStopped,
  withPostgres,
} from "./postgres-session.ts";
import { RejectRows } from "./reject-rows.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import { dropOlderVersions, refreshViews, type TouchedRows } from "./views.ts";

/** What a batch is loaded with. */
export type BatchPorts = Readonly<{
  settings: PostgresSettings;
  readPart: ReadPart;
  /** Folder for rejects that memory should not hold. */
  workFolder: string;
  reopen: ReopenPackage;
  signal: AbortSignal;
}>;

/**
 * Rows of one batch that the server may refuse for reasons of its own. leat looks at every value first, so that there
 * should be none; beyond this the batch fails, and its packages are loaded one by one.
 */
const restartsMax = 20;

/** Tries to learn what became of a commit whose answer was lost, and the pause between two, ms. */
const settleTries = { count: 10, pauseMs: 500 } as const;

/** A row that the server refused. Never leaves this file. */
class RefusedRow extends Error {
  readonly place: Readonly<{ name: string; candidate: number }>;
  readonly reason: string;
  constructor(place: RefusedRow["place"], reason: string, cause: unknown) {
    super("the server refused a row", { cause });
    this.place = place;
    this.reason = reason;
  }
}

/** Loads a batch; see `Warehouse.load`. */
export async function loadBatch(
  ports: BatchPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
): Promise<BatchReceipt> {
  const forced = new Map<string, Map<number, string>>();
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await loadTogether(ports, spec, packages, forced);
    } catch (error) {
      if (!(error instanceof RefusedRow)) throw error;
      if (restarts === restartsMax) throw toLeatError(error.cause, ports.settings.address.url);
      const { name, candidate } = error.place;
      forced.set(name, (forced.get(name) ?? new Map<number, string>()).set(candidate, error.reason));
    }
  }
}

async function loadTogether(
  ports: BatchPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
  forced: ForcedRejects,
): Promise<BatchReceipt> {
  const loadId = randomBytes(10).toString("hex");
  let receipt: BatchReceipt | undefined;
  try {
    return await withPostgres(ports.settings, "load", ports.signal, async (session) => {
      receipt = await new BatchLoad(ports, session, spec, forced, loadId).run(packages);
      return receipt;
    });
  } catch (error) {
    if (!(error instanceof CommitUnanswered) || receipt === undefined) throw error;
    if (receipt.packages.length === 0) return receipt; // Nothing was to be committed.
    await settleCommit(ports, spec, loadId, error.cause);
    return receipt;
  }
}

/**
 * Learns from the ledger whether a commit took effect whose answer was lost: it holds rows with the load's own id or
 * not, and the stream's lock is free only when the old transaction has ended one way or the other.
 *
 * @throws LeatError `WAREHOUSE_UNREACHABLE` when it did not, or when nobody answers.
 */
async function settleCommit(
  { settings }: BatchPorts,
  spec: StreamSpec,
  loadId: string,
  cause: unknown,
): Promise<void> {
  for (let tries = 1; tries <= settleTries.count; tries += 1) {
    try {
      const rows = await withPostgres(settings, "load", undefined, async (session) => {
        await lockStream(session, spec);
        return session.rows(
          `SELECT 1 AS one FROM ${ownTable(session, "loads")} WHERE ${ofStream(spec)} AND load_id = ${quoteText(loadId)} LIMIT 1`,
        );
      });
      if (rows.length > 0) return;
      break;
    } catch (error) {
      const isAway =
        error instanceof CommitUnanswered || (isLeatError(error) && error.code === "WAREHOUSE_UNREACHABLE");
      if (!isAway) throw error;
      await new Promise((resolve) => setTimeout(resolve, settleTries.pauseMs));
    }
  }
  throw toLeatError(cause, settings.address.url);
}

class BatchLoad {
  readonly #ports: BatchPorts;
  readonly #session: PostgresSession;
  readonly #spec: StreamSpec;
  readonly #forced: ForcedRejects;
  readonly #loadId: string;

  constructor(
    ports: BatchPorts,
    session: PostgresSession,
    spec: StreamSpec,
    forced: ForcedRejects,
    loadId: string,
  ) {
    this.#ports = ports;
    this.#session = session;
    this.#spec = spec;
    this.#forced = forced;
    this.#loadId = loadId;
  }

  async run(packages: readonly PackageToLoad[]): Promise<BatchReceipt> {
    const session = this.#session;
    await lockStream(session, this.#spec);
    await makeCatalog(session);
    const waiting = await this.#leaveOutLoaded(packages);
    const newest = waiting.at(-1);
    if (newest === undefined) return { packages: [], changes: [] };
    const place = { tenantColumn: newest.tenantColumn, partitionColumn: newest.partitionColumn };
    const { plan, changed, stale, isNew } = await changeSchema(
      session,
      this.#spec,
      place,
      "change-types",
      waiting,
    );
    const target: LandingTarget = { spec: this.#spec, place: changed, columns: plan.columns };
    await this.#reload(target, stale);
    const counts = await this.#insert(target, waiting);
    if (isNew) await makeIndex(session, this.#spec, changed);
    const receipts = waiting.map((pack) => ({ tenant: pack.tenant, seq: pack.seq, ...counts.get(pack)! }));
    await session.run(this.#ledgerInsert(waiting, counts));
    if (this.#spec.isCurrentOnly === true)
      await dropOlderVersions(session, this.#spec, changed, plan.columns);
    const touched: TouchedRows = stale.length > 0 ? { kind: "all" } : { kind: "packages", packages: waiting };
    await refreshViews(session, this.#spec, changed, plan.columns, touched);
    return { packages: receipts, changes: plan.changes };
  }

  /** Rows first, then what could not be one. */
  async #insert(
    target: LandingTarget,
    packages: readonly PackageToLoad[],
  ): Promise<ReadonlyMap<PackageToLoad, PackageCounts>> {
    const session = this.#session;
    const { landing } = relationsOf(session.address, this.#spec);
    const rejects = new RejectRows(this.#ports.workFolder);
    const rows = new PackageRows(target, this.#forced, rejects);
    try {
      const copy = `COPY ${landing.sql} (${copyColumns(target)}) FROM STDIN (FORMAT binary)`;
      const held = await session.copyIn(copy, rows.read(packages, this.#ports.readPart));
      const sent = [...rows.counts.values()].reduce((sum, { loaded }) => sum + loaded, 0);
      assert(held === sent, "the server counts the rows that were sent");
      for (const pack of packages) this.#checkSum(pack, rows.counts.get(pack)!);
      if (rejects.count > 0)
        await session.copyIn(`COPY ${ownTable(session, "rejects")} FROM STDIN`, rejects.read());
      return rows.counts;
    } catch (error) {
      throw toRefusedRow(error, landing.name, rows) ?? this.#atPackage(error, packages);
    } finally {
      await rejects.remove();
    }
  }

  #checkSum({ tenant, seq, landed }: PackageToLoad, counts: PackageCounts): void {
    if (counts.loaded + counts.rejected === landed) return;
    const { source, name: stream } = this.#spec;
    throw new LeatError("ACCOUNTING_MISMATCH", {
      message:
        `${source}.${stream} (tenant ${tenant}), package ${seq}: landed ${landed} records, but ` +
        `loaded ${counts.loaded} and rejected ${counts.rejected}; nothing was loaded.`,
      details: { source, stream, tenant, seq, landed, ...counts },
    });
  }

  #atPackage(error: unknown, packages: readonly PackageToLoad[]): unknown {
    const [only] = packages;
    if (packages.length !== 1 || only === undefined || isConnectionLost(error)) return error;
    const { source, name: stream } = this.#spec;
    if (isLeatError(error) || "severity" in toServerError(error))
      return toLeatError(error, this.#session.address.url).at({
        source,
        stream,
        tenant: only.tenant,
        seq: only.seq,
      });
    return error;
  }

  /** Takes loaded packages out and loads them again from their landed files with the columns' new types. */
  async #reload(target: LandingTarget, stale: readonly StalePackage[]): Promise<void> {
    if (stale.length === 0) return;
    const session = this.#session;
    const { landing } = relationsOf(session.address, this.#spec);
    const all = stale.map(({ tenant, row }) => `(${quoteText(tenant)}, ${row.seq})`).join(", ");
    const tenantColumn = quoteName(target.place.tenantColumn);
    await session.run(`DELETE FROM ${landing.sql} WHERE (${tenantColumn}, _leat_package) IN (${all})`);
    const mine = ofStream(this.#spec);
    await session.run(
      `DELETE FROM ${ownTable(session, "rejects")} WHERE ${mine} AND (tenant, seq) IN (${all})`,
    );
    for (const { tenant, row } of stale) {
      throwIfStopped(this.#ports.signal);
      // One at a time: each brings its landed files onto this disk.
      const pack = await this.#ports.reopen(tenant, row.seq);
      if (pack.manifestHash !== row.manifestHash)
        throw mismatch(this.#spec, pack, "was loaded from another manifest");
      const { loaded, rejected } = (await this.#insert(target, [pack])).get(pack)!;
      await session.run(
        `UPDATE ${ownTable(session, "loads")} SET loaded = ${loaded}, rejected = ${rejected} ` +
          `WHERE ${mine} AND tenant = ${quoteText(tenant)} AND seq = ${row.seq}`,
      );
    }
  }

  /**
   * The packages that are not in the warehouse yet.
   *
   * @throws LeatError `LEDGER_MISMATCH` when ledger, table and package do not tell the same story.
   */
  async #leaveOutLoaded(packages: readonly PackageToLoad[]): Promise<readonly PackageToLoad[]> {
    if (packages.length === 0) return [];
    assert(new Set(packages.map(nameOf)).size === packages.length, "a package comes once in a batch");
    const spec = this.#spec;
    const wanted = packages.map(({ tenant, seq }) => `(${quoteText(tenant)}, ${seq})`).join(", ");
    const ledger = await readLedgerRows(this.#session, spec, `(tenant, seq) IN (${wanted})`);
    const rowOf = new Map(ledger.map(({ tenant, row }) => [`${row.seq} ${tenant}`, row]));
    const heldOf = await this.#countHeld(wanted);
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
        throw mismatch(
          spec,
          pack,
          `landed ${pack.landed}, but the ledger has ${row.loaded} + ${row.rejected}`,
        );
      // Where only current rows are kept, a package may have lost some or all of its rows since.
      if (spec.isCurrentOnly === true ? held > row.loaded : held !== row.loaded)
        throw mismatch(spec, pack, `has ${held} rows in the table, but ${row.loaded} in the ledger`);
      return false;
    });
  }

  async #countHeld(wanted: string): Promise<ReadonlyMap<string, number>> {
    const session = this.#session;
    const mine = await findStream(session, this.#spec);
    if (mine === undefined) return new Map();
    await refuseAltered(session, this.#spec, mine, await readColumns(session, this.#spec));
    const tenant = quoteName(mine.tenantColumn);
    const rows = await session.rows(
      `SELECT ${tenant} AS tenant, _leat_package AS seq, count(*) AS held
       FROM ${relationsOf(session.address, this.#spec).landing.sql}
       WHERE (${tenant}, _leat_package) IN (${wanted}) GROUP BY 1, 2`,
    );
    return new Map(rows.map((row) => [`${row["seq"]} ${row["tenant"]}`, Number(row["held"])]));
  }

  #ledgerInsert(
    packages: readonly PackageToLoad[],
    counts: ReadonlyMap<PackageToLoad, PackageCounts>,
  ): string {
    const rows = packages.map((pack) => {
      const place = [this.#spec.source, this.#spec.name, pack.tenant].map(quoteText).join(", ");
      const { loaded, rejected } = counts.get(pack)!;
      return (
        `(${place}, ${pack.seq}, ${quoteText(pack.manifestHash)}, ${loaded}, ${rejected}, ` +
        `${pack.generation}, ${pack.completesGeneration}, now(), ${quoteText(this.#loadId)})`
      );
    });
    return `INSERT INTO ${ownTable(this.#session, "loads")} VALUES ${rows.join(", ")}`;
  }
}

/** A value that the server refused while it read the rows; errors of another kind name no column. */
function toRefusedRow(error: unknown, table: string, rows: PackageRows): RefusedRow | undefined {
  const { code = "", where = "", message } = toServerError(error);
  const start = `COPY ${table}, `;
  // What reads JSON adds lines of its own before.
  const told = where.split("\n").find((line) => line.startsWith(start));
  if (told === undefined || !(code.startsWith("22") || code === "54001")) return undefined;
  const line = /^\D*(\d+)/.exec(told.slice(start.length))?.[1];
  const place = line === undefined ? undefined : rows.placeOfLine(Number(line));
  return place && new RefusedRow(place, `Postgres refuses it: ${firstLine(message)}`, error);
}

function mismatch(spec: StreamSpec, { tenant, seq }: PackageToLoad, what: string): LeatError {
  return new LeatError("LEDGER_MISMATCH", {
    message: `${spec.source}.${spec.name} (tenant ${tenant}): package ${seq} ${what}; nothing was loaded.`,
    details: { source: spec.source, stream: spec.name, tenant, seq },
  });
}
