/**
 * One share for one tenant: its address and salt are looked up now, its warehouse is opened, filled and closed, and
 * nothing of it is kept. What goes wrong is part of the outcome: others have their turn all the same.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { Warehouse } from "../ports/warehouse.ts";
import { openDatasetRows } from "./dataset-rows.ts";
import { openMask } from "./masking.ts";
import { openTenantStore } from "./open-tenant-store.ts";
import type { SharedTable, ShareJob, ShareOutcome, SharePorts } from "./share-job.ts";
import { shareTable } from "./share-table.ts";
import { openStreamRows } from "./stream-rows.ts";
import type { TableShare } from "./table-share.ts";

/**
 * How long what was stopped is waited for, ms. It looks at the signal between any two steps, most of which take
 * milliseconds; a warehouse that does not answer holds nobody longer, and its process ends with it.
 */
const windDownMsMax = 2000;

/** Delivers. Rejects for nothing that the world does. */
export async function deliverShare(
  ports: SharePorts,
  job: ShareJob,
  signal: AbortSignal,
): Promise<ShareOutcome> {
  const { share, tenant } = job;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(lateError(job)), share.deadlineMs);
  const stop = AbortSignal.any([signal, deadline.signal]);
  let warehouse: Warehouse | undefined;
  let work: Promise<void> | undefined;
  const tables: SharedTable[] = [];
  let failure: LeatError | undefined;
  try {
    warehouse = await untilStopped(openTarget(ports, job), stop);
    work = fillTables(ports, job, warehouse, tables, stop);
    await untilStopped(work, stop);
  } catch (error) {
    failure = toLeatError(error, stop).at({ share: share.name, tenant: tenant.id });
  } finally {
    clearTimeout(timer);
    await warehouse?.close().catch(() => {}); // What was committed is; the next turn opens it anew.
  }
  const outcome = {
    share: share.name,
    tenant: tenant.id,
    target: warehouse?.url ?? null,
    tables: [...tables],
    error: failure,
  };
  // Whoever is told that it has ended removes the work folder: what was stopped must not write there any more.
  if (work !== undefined) await within(work, windDownMsMax);
  return outcome;
}

async function openTarget(ports: SharePorts, job: ShareJob): Promise<Warehouse> {
  const { share, tenant } = job;
  const to: unknown = share.to(tenant);
  if (typeof to !== "string" || to === "")
    throw new LeatError("CONFIG_INVALID", {
      message: `\`to\` of the share "${share.name}" gives no address for tenant ${tenant.id}.`,
      hint: "Give an address, such as duckdb:PATH, or a secret's reference, such as env:NAME.",
    });
  const isReference = /^(env|file|gcp-secret):/.test(to);
  return await ports.openTarget(isReference ? await ports.secrets.resolve(to) : to);
}

async function fillTables(
  ports: SharePorts,
  job: ShareJob,
  warehouse: Warehouse,
  tables: SharedTable[],
  signal: AbortSignal,
): Promise<void> {
  const { share, tenant } = job;
  const { shareTables } = warehouse;
  if (shareTables === undefined)
    throw new LeatError("NOT_SUPPORTED", { message: `${warehouse.url} cannot be the target of a share.` });
  const isMasking = share.tables.some(({ columns }) => columns?.some(({ isMasked }) => isMasked));
  // What is taken away is not masked: a customer can go whose salt is lost.
  const mask =
    isMasking && share.salt !== undefined && job.mode !== "remove"
      ? openMask(await ports.secrets.resolve(share.salt), {
          share: share.name,
          tenant: tenant.id,
          reference: share.salt,
        })
      : undefined;
  for (const table of share.tables) {
    signal.throwIfAborted();
    const place = { share: share.name, of: table.of, tenant: tenant.id };
    try {
      const common = { job, table, warehouse, mask };
      const filled = await openRows(ports, common);
      const shared = await shareTable({ ...common, shareTables, ...filled }, signal);
      const error = shared.error === undefined ? undefined : withShareHint(shared.error, job);
      tables.push({ ...shared, error });
    } catch (error) {
      const failed = withShareHint(toLeatError(error, signal), job).at(place);
      tables.push({
        table: `${share.schema}.${table.name}`,
        of: table.of,
        status: "failed",
        packages: 0,
        rows: 0,
        rejected: 0,
        seq: 0,
        receipts: [],
        error: failed,
      });
      if (isOfTarget(failed)) return; // The other tables are in the same place.
    }
  }
}

/** The rows of a table, and the column that says whose they are. */
async function openRows(
  { store, versions, progress, workFolder }: SharePorts,
  common: Pick<TableShare, "job" | "table" | "warehouse" | "mask">,
): Promise<Pick<TableShare, "rows" | "tenantColumn">> {
  const { job, table } = common;
  if (table.kind === "stream") {
    const { tenantColumn } = job;
    const stream = job.streams.get(table.of);
    if (stream === undefined)
      throw new LeatError("STREAM_UNKNOWN", { message: `The share "${job.share.name}" names ${table.of}.` });
    const place = { source: stream.source, stream: stream.name, tenant: job.tenant.id };
    // From here on nothing knows of another tenant's.
    const own = openTenantStore(store, [place]);
    const rows = openStreamRows({ ...common, stream, store: own, progress, workFolder });
    return { rows, tenantColumn };
  }
  const dataset = job.datasets.get(table.of);
  if (dataset?.tenantColumn === undefined)
    throw new LeatError("DATASET_UNKNOWN", {
      message: `The share "${job.share.name}" names the dataset ${table.of}, whose rows are nobody's in particular.`,
    });
  const { tenantColumn } = dataset;
  const rows = await openDatasetRows({
    ...common,
    dataset,
    tenantColumn,
    versions,
    progress,
    workFolder,
  });
  return { rows, tenantColumn };
}

/** What a load advises for a warehouse of one's own, a rebuild, is not what helps a customer's. */
function withShareHint(error: LeatError, { share, tenant }: ShareJob): LeatError {
  const isOfLedger = error.code === "LEDGER_MISMATCH" || error.code === "LOG_REWRITTEN";
  if (!isOfLedger && !error.hint.includes("leat rebuild")) return error;
  const { code, message, retryable, details, cause } = error;
  const full = `Run \`leat share ${share.name} --tenant ${tenant.id} --full\`: everything is loaded again from the landing.`;
  const hint = isOfLedger
    ? full
    : `${full} Where leat's own tables are gone, ask the customer to drop what is left of them and of the share first.`;
  return new LeatError(code, { message, hint, retryable, details, cause });
}

/** Failures after which the customer's warehouse need not be asked again in this turn. */
const targetCodes: readonly string[] = [
  "WAREHOUSE_UNREACHABLE",
  "WAREHOUSE_UNREADABLE",
  "WAREHOUSE_DENIED",
  "WAREHOUSE_LOCKED",
  "WAREHOUSE_FULL",
  "DEPENDENCY_MISSING",
  "SHARE_DEADLINE",
  "INTERRUPTED",
];
const isOfTarget = ({ code }: LeatError): boolean => targetCodes.includes(code);

/** A warehouse that does not even answer its client is not waited for. */
async function untilStopped<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  work.catch(() => {}); // Nobody may be left to hear it.
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Until `work` has ended, however, but no longer than that. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const enough = new AbortController();
  const timeout = sleep(ms, undefined, { signal: enough.signal }).catch(() => {}); // No longer needed.
  await Promise.race([work.catch(() => {}), timeout]);
  enough.abort();
}

function lateError({ share, tenant }: ShareJob): LeatError {
  return new LeatError("SHARE_DEADLINE", {
    message: `The share "${share.name}" for tenant ${tenant.id} did not end within ${share.deadlineMs / 1000} s; what was committed stays.`,
    details: { share: share.name, tenant: tenant.id },
  });
}

function toLeatError(error: unknown, signal: AbortSignal): LeatError {
  const known = signal.aborted && isLeatError(signal.reason) ? signal.reason : error;
  if (known instanceof LeatError) return known;
  if (isLeatError(known)) return new LeatError((known as LeatError).code, known); // Another copy of leat's.
  if (signal.aborted)
    return new LeatError("INTERRUPTED", { message: "The share was stopped.", cause: error });
  const said = error instanceof Error ? error.message : String(error);
  return new LeatError("INTERNAL", { message: `Unexpected: ${said}`, cause: error });
}
