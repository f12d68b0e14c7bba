/**
 * A batch of packages: planned, staged, committed by one script, shown (I11).
 *
 * What the plan is made of is read before, and the script undoes itself when another commit came between; then the
 * whole begins again with what is there now. Nothing but the script writes rows.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import { toTenantId, type WarehouseId } from "../../model/ids.ts";
import { keepTypes, type PlaceColumns, planSchema, type SchemaPlan } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { BatchReceipt, LoadReceipt, PackageToLoad, ReopenPackage } from "../../ports/warehouse.ts";
import { type Catalog, type CatalogStream, ofStream, type StreamState, turnTable } from "./catalog.ts";
import { nameColumns } from "./column-naming.ts";
import { type Commit, type CommitPackage, commitScript, isOvertaken, scriptFaults } from "./commit-script.ts";
import type { GoogleApi } from "./google-api.ts";
import { JobFailure, type Jobs } from "./jobs.ts";
import { dropOlderSql, isInForm, keptStatements, renewKept } from "./kept-rows.ts";
import { checkStream, registryOf, settleTable } from "./landing-table.ts";
import {
  amongSql,
  checkTable,
  leaveOutLoaded,
  mismatch,
  nameOf,
  readLedgerRows,
  readTotals,
} from "./ledger.ts";
import type { Queries } from "./queries.ts";
import { quoteName } from "./sql-text.ts";
import { removeLines, type StagedLines, type StagingTools, stageParts } from "./stage-parts.ts";
import { isSettled, markSettled, refreshViews, type StreamShape, type ViewPorts } from "./stream-views.ts";

/** What a batch is loaded with. */
export type BatchPorts = ViewPorts &
  Readonly<{ api: GoogleApi; jobs: Jobs; queries: Queries; tools: StagingTools; nowMs: () => number }>;

/** Times that a batch begins again because another commit of the stream came between. */
const roundsMax = 8;
/** What is to be committed: packages, or a stream's columns alone. */
type BatchJob = Readonly<{
  spec: StreamSpec;
  packages: readonly PackageToLoad[];
  /** `prepare`: the columns of the place; packages bring their own. */
  place: PlaceColumns | undefined;
  reopen: ReopenPackage | undefined;
  /** This call's name: of several that load the same at once, one tells of it. */
  by: string;
}>;

/** Loads a batch; see `Warehouse.load`. */
export async function loadBatch(
  ports: BatchPorts,
  spec: StreamSpec,
  packages: readonly PackageToLoad[],
  reopen: ReopenPackage,
  signal: AbortSignal,
): Promise<BatchReceipt> {
  assert(new Set(packages.map(nameOf)).size === packages.length, "a package comes once in a batch");
  if (packages.length === 0) return { packages: [], changes: [] };
  return await commitBatch(ports, { spec, packages, place: undefined, reopen, by: newName() }, signal);
}

/** Makes a stream's tables and views, empty if need be. */
export async function prepareStream(ports: BatchPorts, spec: StreamSpec, place: PlaceColumns): Promise<void> {
  const { signal } = new AbortController();
  await commitBatch(ports, { spec, packages: [], place, reopen: undefined, by: newName() }, signal);
}

/** Ends what a load that died after its commit has left undone. */
export async function settleStream(ports: BatchPorts, spec: StreamSpec): Promise<void> {
  if (await isSettled(ports, spec)) return;
  const { mine } = await ports.catalog.readState(spec);
  if (mine !== undefined) await prepareStream(ports, spec, mine);
}

const newName = (): string => randomBytes(10).toString("hex");

async function commitBatch(ports: BatchPorts, job: BatchJob, signal: AbortSignal): Promise<BatchReceipt> {
  ports.api.throwIfStopped(signal);
  const id = await ports.catalog.make();
  const run = async (sql: string) => void (await ports.queries.rows(sql, "prepare the stream's tables"));
  await ports.catalog.makeTurns(job.spec, run);
  for (let round = 1; ; round += 1) {
    ports.api.throwIfStopped(signal);
    const state = await ports.catalog.readState(job.spec);
    const result = await tryBatch(ports, id, job, state, signal);
    if (result !== undefined) return result;
    if (round === roundsMax)
      throw new LeatError("WAREHOUSE_LOCKED", {
        message: `${job.spec.source}.${job.spec.name}: other loads of the stream came between ${roundsMax} times; nothing was loaded.`,
        hint: "Run it again, or let one process at a time load a stream.",
      });
    await ports.api.wait(300 * round * (0.5 + Math.random()), signal);
  }
}

/** One round; `undefined` when another commit came between. */
async function tryBatch(
  ports: BatchPorts,
  id: WarehouseId,
  job: BatchJob,
  state: StreamState,
  signal: AbortSignal,
): Promise<BatchReceipt | undefined> {
  const { spec } = job;
  const mine = checkStream(spec, state);
  const totals = await readTotals(ports, spec);
  if (mine !== undefined) await checkTable(ports, spec, mine, totals.loaded);
  const waiting = await leaveOutLoaded(ports, spec, job.packages);
  if (waiting.length === 0 && job.packages.length > 0) {
    await settleStream(ports, spec); // Whoever has loaded them since they were looked for may have died.
    return { packages: [], changes: [] };
  }
  const { plan, place } = planColumns(job, state, waiting, totals.count > 0);
  const stale = job.packages.length === 0 ? [] : await reopenStale(ports, job, mine, plan);
  const table = await settleTable(ports, spec, {
    mine,
    plan,
    place,
    isMoved: stale.length > 0,
    turn: state.turn,
  });
  const packages: CommitPackage[] = [
    ...stale.map((pack) => ({ pack, isReloaded: true })),
    ...waiting.map((pack) => ({ pack, isReloaded: false })),
  ];
  const hasGenerations = totals.hasGenerations || waiting.some(({ generation }) => generation !== 0);
  const shape: StreamShape = {
    spec,
    place,
    columns: plan.columns,
    physicalTable: table.name,
    hasGenerations,
  };
  const isKept = spec.isMaterialized && stale.length === 0 && (await isInForm(ports, shape));
  const identity = JSON.stringify([
    state.turn,
    packages.map(({ pack }) => [pack.tenant, pack.seq, pack.manifestHash]),
  ]);
  const staged = await stageParts(
    ports,
    {
      id,
      spec,
      packages: packages.map(({ pack }) => pack),
      project: ports.project,
      dataset: ports.api.address.dataset,
      nowMs: ports.nowMs(),
      identity,
    },
    signal,
  );
  const registry = registryOf(spec, state, { plan, place, physicalTable: table.name });
  let isOurs = true;
  let { turn } = state;
  if (packages.length > 0 || registry !== undefined || table.movedFrom !== undefined) {
    const commit: Commit = {
      id,
      spec,
      place,
      columns: plan.columns,
      turn: state.turn,
      packages,
      lines: staged.tables.map(({ table }) => ports.catalog.path(table)),
      paths: commitPaths(ports.catalog, spec, table.name),
      movedFrom: table.movedFrom && {
        path: ports.catalog.path(table.movedFrom.physicalTable),
        place: table.movedFrom,
      },
      registry,
      current: [
        ...(isKept ? keptStatements(ports, shape, waiting) : []),
        ...(spec.isCurrentOnly === true && packages.length > 0 ? [dropOlderSql(ports, shape)] : []),
      ],
    };
    const outcome = await runCommit(ports, commit, { turn: state.turn, by: job.by }, signal);
    if (outcome === "overtaken") return undefined;
    isOurs = outcome === "ours";
    turn += 1;
  }
  return await finish(
    ports,
    id,
    job,
    { shape, staged, isKept, isOurs, movedFrom: table.movedFrom, waiting, plan, turn },
    signal,
  );
}

/** Columns as the batch makes them, and what the place's are called. */
function planColumns(
  job: BatchJob,
  state: StreamState,
  waiting: readonly PackageToLoad[],
  isEstablished: boolean,
) {
  const { spec } = job;
  const wanted = job.place ?? waiting.at(-1)!;
  const place: PlaceColumns = {
    tenantColumn: wanted.tenantColumn,
    partitionColumn: wanted.partitionColumn ?? state.mine?.partitionColumn,
  };
  const whole = planSchema(
    spec,
    place,
    state.columns,
    waiting.map(({ columns }) => columns),
    isEstablished,
  );
  return { plan: nameColumns(job.packages.length === 0 ? keepTypes(whole) : whole), place };
}

/** Packages with a value in a column whose landed text is needed, or with rejects, which may fit now (I14). */
async function reopenStale(
  ports: BatchPorts,
  job: BatchJob,
  mine: CatalogStream | undefined,
  plan: SchemaPlan,
) {
  const { spec } = job;
  if (mine === undefined || plan.columns.every(({ change }) => change === "none")) return [];
  const reread = plan.columns.filter(({ change }) => change === "reread");
  const tenant = quoteName(mine.tenantColumn);
  const held = reread.map(({ before }) => `${quoteName(before!.name)} IS NOT NULL`).join(" OR ");
  const rejects = `SELECT DISTINCT tenant, seq FROM ${ports.catalog.path("_leat_rejects")} WHERE ${ofStream(spec)}`;
  const rows = `SELECT DISTINCT ${tenant}, ${leatColumns.package} FROM ${ports.catalog.path(mine.physicalTable)} WHERE ${held}`;
  const found = await ports.queries.rows(
    reread.length === 0 ? rejects : `${rows} UNION DISTINCT ${rejects}`,
    `find packages of ${spec.source}.${spec.name} to read again`,
  );
  if (found.length === 0) return [];
  const names = found.map(([id, seq]) => ({ tenant: toTenantId(id ?? ""), seq: Number(seq) }));
  const packages: PackageToLoad[] = [];
  for (const { tenant, row } of await readLedgerRows(ports, spec, amongSql(names))) {
    const pack = await job.reopen!(tenant, row.seq);
    if (pack.manifestHash !== row.manifestHash)
      throw mismatch(spec, pack, "was loaded from another manifest");
    packages.push(pack);
  }
  return packages;
}

function commitPaths(catalog: Catalog, spec: StreamSpec, table: string): Commit["paths"] {
  return {
    warehouse: catalog.path("_leat_warehouse"),
    turns: catalog.path(turnTable(spec)),
    landing: catalog.path(table),
    loads: catalog.path("_leat_loads"),
    rejects: catalog.path("_leat_rejects"),
    columns: catalog.path("_leat_columns"),
    streams: catalog.path("_leat_streams"),
  };
}

/** Runs the script, or waits for the process that does. */
async function runCommit(
  ports: BatchPorts,
  commit: Commit,
  { turn, by }: Readonly<{ turn: number; by: string }>,
  signal: AbortSignal,
): Promise<"ours" | "theirs" | "overtaken"> {
  const { spec, packages } = commit;
  const sql = commitScript(commit);
  const what = `load ${packages.length} packages into ${spec.source}.${spec.name}`;
  const labels = { source: spec.source, stream: spec.name };
  const configuration = ports.queries.configuration(sql);
  try {
    const request = { kind: "commit", identity: sql, configuration, labels, by, what };
    return (await ports.jobs.run(request, signal)).isOurs ? "ours" : "theirs";
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error;
    const { message } = error.failure;
    if (isOvertaken(message)) return "overtaken";
    // A plan that is void may fail in any way, such as by a table that the other commit has moved.
    if ((await ports.catalog.readState(spec)).turn !== turn) return "overtaken";
    throw commitError(error, commit);
  }
}

function commitError(error: JobFailure, { spec, packages }: Commit): LeatError {
  const { message } = error.failure;
  const name = `${spec.source}.${spec.name}`;
  if (message.includes(scriptFaults.stranger))
    return new LeatError("WAREHOUSE_UNREADABLE", {
      message: `${name}: the dataset was dropped and made anew while it was loaded; nothing was loaded.`,
      hint: "Run it again: the new dataset is loaded from the beginning.",
      retryable: true,
    });
  const counts = /leat: counts (\d+) (\d+) (\d+) (\d+) ([^\n]*)/.exec(message);
  if (counts !== null) {
    const [seq, landed, loaded, rejected] = counts.slice(1, 5).map(Number);
    // The service may add words of its own; of two tenants that begin alike the longer one is meant.
    const named = packages.map(({ pack }) => pack).filter((pack) => counts[5]!.startsWith(pack.tenant));
    const tenant = named
      .filter((pack) => pack.seq === seq)
      .map((pack) => pack.tenant)
      .sort((x, y) => y.length - x.length)[0];
    return new LeatError("ACCOUNTING_MISMATCH", {
      message: `${name} (tenant ${tenant}): package ${seq} landed ${landed} records, but ${loaded} were loaded and ${rejected} rejected; nothing was loaded.`,
      details: { source: spec.source, stream: spec.name, tenant, seq, landed, loaded, rejected },
    });
  }
  return error.toLeatError();
}

type Committed = Readonly<{
  shape: StreamShape;
  staged: StagedLines;
  isKept: boolean;
  /** Whether this process has loaded them, or another that did the same. */
  isOurs: boolean;
  movedFrom: CatalogStream | undefined;
  waiting: readonly PackageToLoad[];
  plan: SchemaPlan;
  /** Count of the stream's commits now. */
  turn: number;
}>;

/** What comes after the commit; a death here is mended by the next load, or by the next look that finds nothing. */
async function finish(
  ports: BatchPorts,
  id: WarehouseId,
  { spec }: BatchJob,
  { shape, staged, isKept, isOurs, movedFrom, waiting, plan, turn }: Committed,
  signal: AbortSignal,
): Promise<BatchReceipt> {
  await refreshViews(ports, id, shape);
  if (spec.isMaterialized && !isKept && !(waiting.length === 0 && (await isInForm(ports, shape))))
    await renewKept(
      ports,
      shape,
      async (sql) => void (await ports.queries.rows(sql, "keep the current rows", signal)),
    );
  if (movedFrom !== undefined) await ports.tables.drop(ports.catalog.place(movedFrom.physicalTable));
  await removeLines(ports.tables, ports.tools, staged);
  await markSettled(ports, spec, turn);
  if (waiting.length === 0 || !isOurs) return { packages: [], changes: isOurs ? plan.changes : [] };
  const loaded = await readLedgerRows(ports, spec, amongSql(waiting));
  const rowOf = new Map(loaded.map(({ tenant, row }) => [nameOf({ tenant, seq: row.seq }), row]));
  const packages = waiting.map(({ tenant, seq }): LoadReceipt => {
    const row = rowOf.get(nameOf({ tenant, seq }));
    assert(row !== undefined, "what was committed is in the ledger");
    return { tenant, seq, loaded: row.loaded, rejected: row.rejected };
  });
  return { packages, changes: plan.changes };
}
