/** One stream of one tenant → one table of that tenant's warehouse. A load (PROTOCOL: two uses), and its receipt. */
import assert from "node:assert/strict";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { readHead, walkPackages } from "../landing/log.ts";
import { loadStream } from "../load/load-stream.ts";
import { type PlannedPackage, planLoad } from "../load/plan-load.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ShareTable } from "../ports/share.ts";
import type { ShareOwner, ShareTables, TableChecksum, Warehouse } from "../ports/warehouse.ts";
import type { Progress } from "../ports/world.ts";
import { checkColumns } from "./check-columns.ts";
import { checkOwner, printDeclaration } from "./declaration.ts";
import { planAsideStream, planTargetStream } from "./plan-table.ts";
import type { SharedTable, ShareJob, ShareReceipt } from "./share-job.ts";
import { openShareWarehouse } from "./share-warehouse.ts";

/** What one table is filled with. */
export type StreamShare = Readonly<{
  job: ShareJob;
  table: ShareTable;
  stream: StreamSpec;
  /** The tenant's own places of the landing; see `openTenantStore`. */
  store: ObjectStore;
  warehouse: Warehouse;
  shareTables: ShareTables;
  /** Of the values to be masked; `undefined`: none are. */
  mask: ((value: Uint8Array) => string) | undefined;
  progress: Progress;
  workFolder: string;
}>;

/** Does what the job says for one stream. */
export async function shareStream(share: StreamShare, signal: AbortSignal): Promise<SharedTable> {
  const { job, table, stream } = share;
  const place: StreamPlace = { source: stream.source, stream: stream.name, tenant: job.tenant.id };
  const target = planTargetStream(job.share, table, stream);
  switch (job.mode) {
    case "plan":
      return await planTable(share, place, target);
    case "remove":
      return await removeTable(share, target);
    case "deliver":
      return await deliverTable(share, place, target, signal);
    case "full":
      return await reloadTable(share, place, target, signal);
  }
}

const describeTable = (share: StreamShare, target: StreamSpec) => ({
  table: `${target.source}.${target.name}`,
  target: share.warehouse.url,
});

function toOwner({ job, table, mask }: StreamShare, target: StreamSpec): ShareOwner {
  const isMasked = table.columns?.some((column) => column.isMasked) === true;
  const saltMark = isMasked ? mask?.(Buffer.alloc(0)).slice(0, 16) : undefined;
  return {
    project: job.project,
    share: job.share.name,
    tenant: job.tenant.id,
    declaration: printDeclaration(table, target, job.tenantColumn, saltMark),
  };
}

/** What would move. Asks the target, and makes nothing there. */
async function planTable(share: StreamShare, place: StreamPlace, target: StreamSpec): Promise<SharedTable> {
  const held = await share.shareTables.readOwner(target);
  if (held !== undefined) checkOwner(held, toOwner(share, target), describeTable(share, target), "continue");
  const loaded = (await share.warehouse.readLedgerHeads(target)).get(place.tenant)?.seq ?? 0;
  const planned = await planPackages(share.store, place, loaded);
  if (loaded === 0) await checkColumns(share.store, place, share.stream, share.table);
  return {
    ...emptyTable(share, target),
    status: "planned",
    packages: planned.length,
    rows: planned.reduce((sum, { head }) => sum + head.manifest.counts.landed, 0),
    seq: loaded,
  };
}

async function planPackages(
  store: ObjectStore,
  place: StreamPlace,
  loaded: number,
): Promise<readonly PlannedPackage[]> {
  const head = await readHead(store, place);
  if (head === undefined) return [];
  const packages = [];
  for await (const link of walkPackages(store, place, head, loaded)) packages.unshift(link);
  return planLoad(packages);
}

async function removeTable(share: StreamShare, target: StreamSpec): Promise<SharedTable> {
  const aside = planAsideStream(target);
  const held = await share.shareTables.readOwner(target);
  if (held !== undefined)
    checkOwner(held, toOwner(share, target), describeTable(share, target), "begin anew");
  const before = (await share.warehouse.readLedgerHeads(target)).get(share.job.tenant.id)?.seq ?? 0;
  await removeAside(share, aside);
  if (held !== undefined) await share.shareTables.remove(target);
  return { ...emptyTable(share, target), status: held === undefined ? "empty" : "removed", seq: before };
}

/** What a full load that was killed has left beside the table. */
async function removeAside(share: StreamShare, aside: StreamSpec): Promise<void> {
  const held = await share.shareTables.readOwner(aside);
  if (held === undefined) return;
  checkOwner(held, toOwner(share, aside), describeTable(share, aside), "begin anew");
  await share.shareTables.remove(aside);
}

async function deliverTable(
  share: StreamShare,
  place: StreamPlace,
  target: StreamSpec,
  signal: AbortSignal,
): Promise<SharedTable> {
  const loaded = (await share.warehouse.readLedgerHeads(target)).get(place.tenant);
  if (loaded === undefined && !(await checkColumns(share.store, place, share.stream, share.table)))
    return emptyTable(share, target);
  await claim(share, target);
  if (loaded !== undefined) await refuseAltered(share, target);
  const moved = await load(share, target, signal);
  if (moved.error !== undefined) return moved;
  return { ...moved, receipts: await readReceipts(share, target, signal) };
}

async function reloadTable(
  share: StreamShare,
  place: StreamPlace,
  target: StreamSpec,
  signal: AbortSignal,
): Promise<SharedTable> {
  const isLanded = await checkColumns(share.store, place, share.stream, share.table);
  const owner = toOwner(share, target);
  const held = await share.shareTables.readOwner(target);
  if (held !== undefined) checkOwner(held, owner, describeTable(share, target), "begin anew");
  else if (isLanded) await claim(share, target);
  if (!isLanded) return emptyTable(share, target);
  if (share.shareTables.replace === undefined) {
    await share.shareTables.remove(target);
    await claim(share, target);
    const again = await load(share, target, signal);
    if (again.error !== undefined) return again;
    return { ...again, receipts: await readReceipts(share, target, signal) };
  }
  const aside = planAsideStream(target);
  await removeAside(share, aside);
  await claim(share, aside);
  const moved = await load(share, aside, signal);
  if (moved.error !== undefined) return { ...moved, table: describeTable(share, target).table };
  await share.shareTables.replace(target, aside);
  return {
    ...moved,
    table: describeTable(share, target).table,
    receipts: await readReceipts(share, target, signal),
  };
}

async function claim(share: StreamShare, target: StreamSpec): Promise<void> {
  const owner = toOwner(share, target);
  const held = await share.shareTables.claim(target, owner);
  checkOwner(held, owner, describeTable(share, target), "continue");
}

async function load(share: StreamShare, target: StreamSpec, signal: AbortSignal): Promise<SharedTable> {
  const { warehouse, table, store, progress, workFolder, mask = refuseMask } = share;
  const into = openShareWarehouse({ warehouse, stream: target, columns: table.columns, mask, workFolder });
  const { tenants } = await loadStream(
    { store, warehouse: into, progress, workFolder },
    share.stream,
    [share.job.tenant.id],
    signal,
  );
  const { packages, loaded, rejected, seq, error } = tenants[0]!; // One was asked for.
  return {
    ...emptyTable(share, target),
    status: error !== undefined ? "failed" : packages > 0 ? "moved" : "unchanged",
    packages,
    rows: loaded,
    rejected,
    seq,
    error,
  };
}

const refuseMask = (): never => assert.fail("a share that masks has a salt");

/**
 * Compares rows and ledger before anything is added to them.
 *
 * @throws {@link LeatError} `SHARE_TABLE_ALTERED`.
 */
async function refuseAltered(share: StreamShare, target: StreamSpec): Promise<void> {
  const { warehouse, job } = share;
  const ledger = new Map(
    (await warehouse.readLedger(target, job.tenant.id)).map(({ seq, loaded }) => [seq, loaded]),
  );
  let held: readonly TableChecksum[];
  try {
    held = await warehouse.checksums(target);
  } catch (error) {
    // Where the table or a column of it is gone, an engine only says that its statement makes no sense.
    if (!isLeatError(error) || !["LOAD_FAILED", "QUERY_FAILED"].includes(error.code)) throw error;
    throw alteredError(share, target, ["a column of it, or the table itself, is gone"], error);
  }
  const faults: string[] = [];
  for (const { tenant, seq, rows } of held) {
    const loaded = tenant === job.tenant.id ? ledger.get(seq) : undefined;
    if (loaded === undefined) faults.push(`${rows} rows of tenant ${tenant}, package ${seq}, are not leat's`);
    // Where only current rows are kept, those of a package become fewer.
    else if (rows > loaded || (rows < loaded && target.isCurrentOnly !== true))
      faults.push(`package ${seq} had ${loaded} rows and has ${rows}`);
  }
  if (faults.length > 0) throw alteredError(share, target, faults);
}

/** Differences told one by one. */
const faultsToldMax = 20;

function alteredError(
  share: StreamShare,
  target: StreamSpec,
  faults: readonly string[],
  cause?: unknown,
): LeatError {
  const { share: spec, tenant } = share.job;
  const place = describeTable(share, target);
  return new LeatError("SHARE_TABLE_ALTERED", {
    message: `The table ${place.table} in ${place.target} was changed by somebody else: ${faults.slice(0, 3).join("; ")}. Nothing was moved.`,
    hint: `Ask the customer to leave it as it is and keep own rows in tables of their own, then run \`leat share ${spec.name} --tenant ${tenant.id} --full\`.`,
    details: {
      share: spec.name,
      tenant: tenant.id,
      table: place.table,
      faults: faults.slice(0, faultsToldMax),
    },
    cause,
  });
}

async function readReceipts(
  { warehouse, shareTables }: StreamShare,
  target: StreamSpec,
  signal: AbortSignal,
): Promise<readonly ShareReceipt[]> {
  const receipts: ShareReceipt[] = [];
  for (const { table, sql } of await shareTables.checkQueries(target)) {
    const { rows } = await warehouse.query(sql, { signal });
    const [count, checksum] = rows[0]!; // An aggregate gives one row.
    receipts.push({ table, rows: Number(count), checksum: String(checksum), query: sql });
  }
  return receipts;
}

/** Nothing is landed, and nothing was done. */
function emptyTable({ table }: StreamShare, target: StreamSpec): SharedTable {
  return {
    table: `${target.source}.${target.name}`,
    of: table.of,
    status: "empty",
    packages: 0,
    rows: 0,
    rejected: 0,
    seq: 0,
    receipts: [],
    error: undefined,
  };
}
