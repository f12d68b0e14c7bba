/** Compares one stream's logs, landed files, ledger and rows, and the partner's own count. */
import { LeatError } from "../errors/leat-error.ts";
import { readHead, readManifest } from "../landing/log.ts";
import { verifyLog } from "../landing/verify-log.ts";
import { describePlace, type StreamPlace, type TenantId } from "../model/ids.ts";
import { tenantsOf } from "../model/source-tenants.ts";
import type { LedgerRow, SqlNaming, TableChecksum, Warehouse } from "../ports/warehouse.ts";
import { streamName } from "../sync/choose.ts";
import { toLeatError } from "../sync/extract-tenant.ts";
import type { ChosenStream, StreamTenants } from "../sync/sync-job.ts";
import type { OpenProject } from "./open-project.ts";
import { systemClock, systemRandom } from "./system-world.ts";

/** How far to look. */
export type VerifyJob = Readonly<{
  readsParts: boolean;
  asksSource: boolean;
}>;

/** A stream, looked at. */
export type VerifiedStream = Readonly<{
  stream: string;
  tenants: number;
  packages: number;
  bytes: number;
  /** Records in visible packages, by the logs. */
  landed: number;
  /** By the ledger, of the visible generation. */
  loaded: number;
  rejected: number;
  /** Tenants with packages that the warehouse has not. */
  waiting: number;
  /** Keys whose current row would be another by arrival (I20); `null`: could not be asked. */
  disagreements: Readonly<{ count: number; sample: readonly string[] }> | null;
  faults: readonly LeatError[];
}>;

/** Keys named where the two orders differ. */
const sampleMax = 20;

/** Verifies one stream. Never throws for what it finds. */
export async function verifyStream(
  opened: OpenProject,
  stream: StreamTenants,
  job: VerifyJob,
  signal: AbortSignal,
): Promise<VerifiedStream> {
  const { spec } = stream;
  const warehouse = await opened.openWarehouse();
  const faults: LeatError[] = [];
  const tenants = stream.tenants.map(({ id }) => id);
  const sums = await attempt(faults, signal, () => readSums(warehouse, stream));
  const total = { packages: 0, bytes: 0, landed: 0, loaded: 0, rejected: 0, waiting: 0 };
  for (const tenant of tenants) {
    signal.throwIfAborted();
    const place = { source: spec.source, stream: spec.name, tenant };
    const log = await verifyLog(opened.store, place, { readsParts: job.readsParts });
    faults.push(...log.faults);
    total.packages += log.packages;
    total.bytes += log.bytes;
    total.landed += log.records;
    await attempt(faults, signal, async () => {
      const ledger = await warehouse.readLedger(spec, tenant);
      const found = await compareLedger(opened, place, ledger, sums);
      faults.push(...found.faults);
      total.loaded += found.loaded;
      total.rejected += found.rejected;
      if (found.isWaiting) total.waiting++;
    });
  }
  await attempt(faults, signal, async () => await warehouse.checkLedger?.(spec));
  const disagreements = await attempt(faults, signal, () =>
    warehouse.currentDisagreements(spec, { sampleMax }),
  );
  if (job.asksSource) await compareSource(opened, stream, { tenants, faults, warehouse }, signal);
  return {
    stream: streamName(stream),
    tenants: tenants.length,
    ...total,
    disagreements: disagreements ?? null,
    faults,
  };
}

/** Runs a step; what it fails with is one more fault. */
async function attempt<T>(
  faults: LeatError[],
  signal: AbortSignal,
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (signal.aborted) throw error;
    faults.push(toLeatError(error, signal));
    return undefined;
  }
}

type Sums = ReadonlyMap<TenantId, ReadonlyMap<number, TableChecksum>>;

async function readSums(warehouse: Warehouse, { spec }: ChosenStream): Promise<Sums> {
  const sums = new Map<TenantId, Map<number, TableChecksum>>();
  for (const sum of await warehouse.checksums(spec)) {
    const ofTenant = sums.get(sum.tenant) ?? new Map<number, TableChecksum>();
    sums.set(sum.tenant, ofTenant.set(sum.seq, sum));
  }
  return sums;
}

/** Each ledger row against its manifest and against the rows that are really there. */
async function compareLedger(
  opened: OpenProject,
  place: StreamPlace,
  ledger: readonly LedgerRow[],
  sums: Sums | undefined,
) {
  const faults: LeatError[] = [];
  const head = await readHead(opened.store, place);
  const visible = head?.manifest.visible.number ?? 0;
  let [loaded, rejected] = [0, 0];
  for (const row of ledger) {
    const found = await readManifest(opened.store, place, row.seq);
    if (found === undefined || found.hash !== row.manifestHash) {
      const what = found === undefined ? "the log has no such manifest" : "the log's manifest is another";
      faults.push(
        new LeatError("LOG_REWRITTEN", {
          message: `${describePlace(place)}: package ${row.seq} was loaded, but ${what}.`,
          details: { ...place, seq: row.seq },
        }),
      );
      continue;
    }
    const { landed } = found.manifest.counts;
    if (row.loaded + row.rejected !== landed) {
      faults.push(
        mismatch(place, row.seq, `${landed} landed, but ${row.loaded} loaded and ${row.rejected} rejected`),
      );
    }
    if (row.generation < visible) continue; // An older generation's rows are no longer shown (I12), and may be gone.
    loaded += row.loaded;
    rejected += row.rejected;
    const there = sums?.get(place.tenant)?.get(row.seq)?.rows ?? 0;
    if (sums !== undefined && there !== row.loaded) {
      faults.push(mismatch(place, row.seq, `the ledger says ${row.loaded} rows, the table has ${there}`));
    }
  }
  const inLedger = new Set(ledger.map((row) => row.seq));
  for (const [seq, sum] of sums?.get(place.tenant) ?? []) {
    if (!inLedger.has(seq)) faults.push(mismatch(place, seq, `${sum.rows} rows are not in the ledger`));
  }
  const newest = head?.manifest.kind === "data" ? head.manifest.seq : (head?.manifest.previousDataSeq ?? 0);
  const isOpen = head?.manifest.generation.state === "open";
  return { faults, loaded, rejected, isWaiting: !isOpen && newest > (ledger.at(-1)?.seq ?? 0) };
}

const mismatch = (place: StreamPlace, seq: number, what: string): LeatError =>
  new LeatError("LEDGER_MISMATCH", {
    message: `${describePlace(place)}, package ${seq}: ${what}.`,
    hint: `Somebody edited the table: run \`leat rebuild ${place.source}.${place.stream}\`, which makes it again from the landing.`,
    details: { ...place, seq },
  });

const standardNaming: SqlNaming = {
  quoteName: (name) => `"${name.replaceAll('"', '""')}"`,
  quoteText: (text) => `'${text.replaceAll("'", "''")}'`,
};

type SourceComparison = Readonly<{
  tenants: readonly TenantId[];
  faults: LeatError[];
  warehouse: Warehouse;
}>;

/** The partner's count against the current view's rows. Only tenants that the source is read for can be asked for. */
async function compareSource(
  opened: OpenProject,
  { source, spec }: ChosenStream,
  { tenants, faults, warehouse }: SourceComparison,
  signal: AbortSignal,
): Promise<void> {
  const { secrets, places } = opened;
  const world = { clock: systemClock, random: systemRandom, secrets, places, progress: () => {} };
  for (const tenant of tenantsOf(source, opened.readTenants())) {
    if (!tenants.includes(tenant.id)) continue;
    await attempt(faults, signal, async () => {
      const theirs = await source.count?.(spec.name, tenant, world, signal);
      if (theirs === undefined) return;
      const { quoteName, quoteText } = warehouse.naming ?? standardNaming;
      const view = warehouse.currentName?.(spec) ?? `${quoteName(source.name)}.${quoteName(spec.name)}`;
      const { rows } = await warehouse.query(
        `select count(*) from ${view} where ${quoteName(opened.project.tenantColumn)} = ${quoteText(tenant.id)}`,
        { signal },
      );
      const ours = Number(rows[0]?.[0] ?? 0);
      if (ours === theirs) return;
      const place = { source: source.name, stream: spec.name, tenant: tenant.id };
      faults.push(
        new LeatError("VERIFY_FAILED", {
          message: `${describePlace(place)}: the partner counts ${theirs} records, the current view has ${ours}.`,
          hint: "Records that changed since the last sync explain small differences; sync and compare again.",
          details: { ...place, theirs, ours },
        }),
      );
    });
  }
}
