/** One table of one tenant's warehouse: claimed, filled, checked, exchanged or taken away, whatever its rows are of. */
import type { LeatError } from "../errors/leat-error.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { LedgerRow, ShareOwner, ShareReceipt } from "../ports/warehouse.ts";
import { alteredError, refuseAltered, toAlteredError } from "./altered.ts";
import { changedParts, checkOwner, printDeclaration } from "./declaration.ts";
import { planAsideStream } from "./plan-table.ts";
import { countReceipts, isSameReceipts, parseReceipts, printReceipts } from "./receipts.ts";
import type { SharedTable } from "./share-job.ts";
import type { TableShare } from "./table-share.ts";

/** Does what the job says for one table. */
export async function shareTable(share: TableShare, signal: AbortSignal): Promise<SharedTable> {
  switch (share.job.mode) {
    case "plan":
      return await planTable(share, signal);
    case "verify":
      return await verifyTable(share, signal);
    case "remove":
      return await removeTable(share);
    case "deliver":
      return await deliverTable(share, signal);
    case "full":
      return await reloadTable(share, signal);
  }
}

const placeOf = ({ rows: { target }, warehouse }: TableShare) => ({
  table: `${target.source}.${target.name}`,
  target: warehouse.url,
});

function toOwner({ job, table, mask, rows, tenantColumn }: TableShare): ShareOwner {
  const isMasked = table.columns?.some((column) => column.isMasked) === true;
  const saltMark = isMasked ? mask?.(Buffer.alloc(0), 0, 0).slice(0, 16) : undefined;
  return {
    project: job.project,
    share: job.share.name,
    tenant: job.tenant.id,
    declaration: printDeclaration(table, rows.target, { tenantColumn, saltMark, schema: rows.schema }),
  };
}

/** The newest package that is there. */
async function readLoaded({ warehouse, rows, job }: TableShare): Promise<LedgerRow | undefined> {
  return (await warehouse.readLedgerHeads(rows.target)).get(job.tenant.id);
}

/** What would move. Asks the target, and makes nothing there. */
async function planTable(share: TableShare, signal: AbortSignal): Promise<SharedTable> {
  const held = await share.shareTables.readOwner(share.rows.target);
  const isNewForm = held !== undefined && (await checkForm(share, held)) === "other columns";
  const loaded = await readLoaded(share);
  const planned = await share.rows.plan(isNewForm ? undefined : loaded, signal);
  if (loaded === undefined) await share.rows.check();
  return { ...emptyTable(share), status: "planned", ...planned, seq: loaded?.seq ?? 0 };
}

/** Counts what is there, and compares it with the ledger and with the last receipt. Moves nothing. */
async function verifyTable(share: TableShare, signal: AbortSignal): Promise<SharedTable> {
  const { shareTables, rows } = share;
  const held = await shareTables.readOwner(rows.target);
  if (held === undefined) return emptyTable(share);
  checkOwner(held, toOwner(share), placeOf(share), "begin anew");
  const loaded = await readLoaded(share);
  if (loaded === undefined) return emptyTable(share);
  await refuseAltered(share);
  const receipts = await countReceipts(share, signal).catch(refuseGone(share));
  const kept = parseReceipts(await shareTables.readReceipts(rows.target));
  if (kept?.seq === loaded.seq && !isSameReceipts(kept.receipts, receipts))
    throw alteredError(share, ["rows are not those of the last receipt"]);
  return { ...emptyTable(share), status: "verified", seq: loaded.seq, receipts };
}

/** What a count fails with where nothing was moved. */
const refuseGone =
  (share: TableShare) =>
  (error: unknown): never => {
    throw toAlteredError(share, error, "a view of it is gone");
  };

async function removeTable(share: TableShare): Promise<SharedTable> {
  const { shareTables, rows } = share;
  const held = await shareTables.readOwner(rows.target);
  if (held !== undefined) checkOwner(held, toOwner(share), placeOf(share), "begin anew");
  const before = (await readLoaded(share))?.seq ?? 0;
  await removeAside(share, planAsideStream(rows.target));
  if (held !== undefined) await shareTables.remove(rows.target);
  return { ...emptyTable(share), status: held === undefined ? "empty" : "removed", seq: before };
}

/** What a full load that was killed has left beside the table. */
async function removeAside(share: TableShare, aside: StreamSpec): Promise<void> {
  const held = await share.shareTables.readOwner(aside);
  if (held === undefined) return;
  checkOwner(held, toOwner(share), placeOf(share), "begin anew");
  await share.shareTables.remove(aside);
}

async function deliverTable(share: TableShare, signal: AbortSignal): Promise<SharedTable> {
  const { rows, shareTables } = share;
  const loaded = await readLoaded(share);
  if (loaded === undefined && !(await rows.check())) return emptyTable(share);
  const held = loaded === undefined ? undefined : await shareTables.readOwner(rows.target);
  if (held === undefined) await claim(share, rows.target);
  else if ((await checkForm(share, held)) === "other columns") {
    await refuseAltered(share);
    return await reloadTable(share, signal);
  }
  if (loaded !== undefined && !(await rows.hasNews(loaded)))
    return {
      ...emptyTable(share),
      status: "unchanged",
      seq: loaded.seq,
      receipts: await receiptsOf(loaded.seq),
    };
  if (loaded !== undefined) await refuseAltered(share);
  return await fill(share, rows.target, (seq) => keepReceipts(share, seq, signal), signal);

  /** Counted when that was not done, be it for a death; else as they were told, so that nothing is read. */
  async function receiptsOf(seq: number): Promise<readonly ShareReceipt[]> {
    const kept = parseReceipts(await shareTables.readReceipts(rows.target));
    if (kept?.seq === seq) return kept.receipts;
    await share.warehouse.settle?.(rows.target); // What is counted is what the customer sees.
    await refuseAltered(share);
    return await keepReceipts(share, seq, signal).catch(refuseGone(share));
  }
}

/**
 * Whether a table that is there is of this declaration. Other columns of a dataset's newer version are no wish of the
 * customer's: all its rows come anyway, and are put in place at once.
 *
 * @throws {@link LeatError} `SHARE_TABLE_TAKEN`, `SHARE_CHANGED`.
 */
async function checkForm(share: TableShare, held: ShareOwner): Promise<"same" | "other columns"> {
  const owner = toOwner(share);
  const changed = changedParts(held.declaration, owner.declaration);
  const isOfColumns = changed.length === 1 && changed[0] === "schema";
  checkOwner(held, owner, placeOf(share), isOfColumns ? "begin anew" : "continue");
  return isOfColumns ? "other columns" : "same";
}

async function reloadTable(share: TableShare, signal: AbortSignal): Promise<SharedTable> {
  const { rows, shareTables } = share;
  const isThere = await rows.check();
  const held = await shareTables.readOwner(rows.target);
  if (held !== undefined) checkOwner(held, toOwner(share), placeOf(share), "begin anew");
  else if (isThere) await claim(share, rows.target);
  if (!isThere) return emptyTable(share);
  if (shareTables.replace === undefined) {
    await shareTables.remove(rows.target);
    await claim(share, rows.target);
    return await fill(share, rows.target, (seq) => keepReceipts(share, seq, signal), signal);
  }
  const aside = planAsideStream(rows.target);
  await removeAside(share, aside);
  await claim(share, aside);
  const exchange = async (seq: number) => {
    await shareTables.replace?.(rows.target, aside);
    return await keepReceipts(share, seq, signal);
  };
  return await fill(share, aside, exchange, signal);
}

async function claim(share: TableShare, target: StreamSpec): Promise<void> {
  const owner = toOwner(share);
  checkOwner(await share.shareTables.claim(target, owner), owner, placeOf(share), "continue");
}

/** Loads; what comes after it is done when nothing failed. */
async function fill(
  share: TableShare,
  into: StreamSpec,
  afterwards: (seq: number) => Promise<readonly ShareReceipt[]>,
  signal: AbortSignal,
): Promise<SharedTable> {
  const moved = await share.rows.load(into, signal);
  const isMoved = moved.error === undefined;
  const status = !isMoved ? "failed" : moved.packages > 0 ? "moved" : "unchanged";
  return { ...emptyTable(share), ...moved, status, receipts: isMoved ? await afterwards(moved.seq) : [] };
}

/**
 * Counts what is there, and keeps what was counted. Should another delivery come between, what it has brought is of
 * another package, and is counted again.
 *
 * @param seq - the newest package that is there.
 */
async function keepReceipts(
  share: TableShare,
  seq: number,
  signal: AbortSignal,
): Promise<readonly ShareReceipt[]> {
  const receipts = await countReceipts(share, signal);
  await share.shareTables.keepReceipts(share.rows.target, printReceipts({ seq, receipts }));
  return receipts;
}

/** Nothing is there, and nothing was done. */
function emptyTable(share: TableShare): SharedTable {
  const error: LeatError | undefined = undefined;
  return {
    table: placeOf(share).table,
    of: share.table.of,
    status: "empty",
    packages: 0,
    rows: 0,
    rejected: 0,
    seq: 0,
    receipts: [],
    error,
  };
}
