/** A ledger with a dispatcher and workers, on the real clock: what the contract of flows is tried on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "../../src/cli/system-world.ts";
import { openLocalDispatcher } from "../../src/dispatchers/local/open-local-dispatcher.ts";
import { openPgBossDispatcher } from "../../src/dispatchers/pg-boss/open-pg-boss-dispatcher.ts";
import { createLimitGates } from "../../src/flow/limit-gates.ts";
import { newRunOf } from "../../src/flow/new-run.ts";
import { createLocalExecutor, type RunExecutor } from "../../src/flow/run-executor.ts";
import { hintsOf } from "../../src/flow/run-hints.ts";
import type { RunWorld } from "../../src/flow/run-world.ts";
import { cancelledError, startWorker, type Worker } from "../../src/flow/worker.ts";
import { openPostgresLedger } from "../../src/ledgers/postgres/open-postgres-ledger.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import { newWorkerId } from "../../src/model/run-ids.ts";
import type { FlowRun } from "../../src/model/run-record.ts";
import { endedRunStates, type RunState } from "../../src/model/run-state.ts";
import type { Dispatcher } from "../../src/ports/dispatcher.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { openTrialFlows } from "./trial-flows.ts";

/** Where a ledger is, and which dispatcher brings its runs. Plain data: processes are told it by their arguments. */
export type StandPlace = Readonly<{
  ledger: Readonly<{ kind: "sqlite"; path: string } | { kind: "postgres"; url: string }>;
  dispatcher: Readonly<{ kind: "local" } | { kind: "pg-boss"; url: string }>;
}>;

/** How long a test waits for a run, ms; on a busy machine a second of work takes several. */
const patienceMs = 45_000;

export const openLedger = (place: StandPlace): Promise<Ledger> =>
  place.ledger.kind === "sqlite"
    ? openSqliteLedger(place.ledger.path, systemClock)
    : openPostgresLedger({ connectionString: place.ledger.url, clock: systemClock });

export const openDispatcher = async (place: StandPlace, ledger: Ledger): Promise<Dispatcher> =>
  place.dispatcher.kind === "local"
    ? openLocalDispatcher(ledger, systemClock)
    : openPgBossDispatcher({ connectionString: place.dispatcher.url, clock: systemClock });

/** How a worker of a test differs from a usual one. */
export type TrialWorkerOptions = Readonly<{
  slots?: number;
  pools?: readonly string[];
  leaseMs?: number;
  sweepMs?: number;
  executor?: RunExecutor;
  /** Which code it says it has; default that of the trial flows. */
  codeVersion?: string;
}>;

/** Starts a worker on a ledger and a dispatcher; what goes wrong beside runs is handed over. */
export async function startTrialWorker(
  ledger: Ledger,
  dispatcher: Dispatcher,
  options: TrialWorkerOptions,
  onProblem: (error: unknown) => void,
): Promise<Worker> {
  const id = newWorkerId();
  const world: RunWorld = {
    ledger,
    clock: systemClock,
    fraction: Math.random,
    results: undefined,
    redact: (text) => text,
    codeVersion: "trial",
    workerId: id,
    waits: "suspend",
    tell: () => {},
    gates: createLimitGates(),
    live: new Map(),
  };
  const executor =
    options.executor ??
    createLocalExecutor(world, openTrialFlows(), () => cancelledError(world.live.keys().next().value!));
  return startWorker(
    { ledger, dispatcher, clock: systemClock, executor, onProblem },
    {
      id,
      pools: options.pools ?? ["default"],
      slots: options.slots ?? 4,
      codeVersion: options.codeVersion ?? "trial",
      leaseMs: options.leaseMs ?? 20_000,
      sweepMs: options.sweepMs ?? 200,
    },
  );
}

/** What a test of flows works with. */
export interface FlowStand extends AsyncDisposable {
  readonly place: StandPlace;
  readonly ledger: Ledger;
  readonly dispatcher: Dispatcher;
  /** A folder of its own for journals and gates. */
  readonly folder: string;
  readonly problems: unknown[];
  startWorker(options?: TrialWorkerOptions): Promise<Worker>;
  /** Hands a run of a trial flow in, with the stand's folder as its parameter. */
  submit(
    flow: string,
    params?: Readonly<Record<string, unknown>>,
    facts?: { priority?: number; pool?: string },
  ): Promise<FlowRun>;
  untilState(run: Pick<FlowRun, "id">, ...states: RunState[]): Promise<FlowRun>;
  untilEnded(run: Pick<FlowRun, "id">): Promise<FlowRun>;
  /** Waits until something is so. */
  until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void>;
  openGate(name: string): void;
}

/** Opens a stand with an empty ledger. */
export async function openFlowStand(place: StandPlace): Promise<FlowStand> {
  const folder = mkdtempSync(join(tmpdir(), "leat-flow-"));
  const ledger = await openLedger(place);
  const dispatcher = await openDispatcher(place, ledger);
  const registry = openTrialFlows();
  const workers: Worker[] = [];
  const problems: unknown[] = [];
  const until: FlowStand["until"] = async (what, isSo) => {
    for (const deadline = Date.now() + patienceMs; ; await wait(20)) {
      if (await isSo()) return;
      if (Date.now() > deadline)
        throw new Error(`it did not come to it: ${what}; ${problems.map(String).join("; ")}`);
    }
  };
  const untilState: FlowStand["untilState"] = async (run, ...states) => {
    let seen: FlowRun | undefined;
    await until(`run ${run.id} ${states.join(" or ")}`, async () => {
      seen = await ledger.readRun(run.id);
      return seen !== undefined && states.includes(seen.state);
    });
    return seen!; // It was seen, or `until` has thrown.
  };
  return {
    place,
    ledger,
    dispatcher,
    folder,
    problems,
    async startWorker(options = {}) {
      const worker = await startTrialWorker(ledger, dispatcher, options, (error) => problems.push(error));
      workers.push(worker);
      return worker;
    },
    async submit(flow, params = {}, facts = {}) {
      const run = newRunOf(registry.deployment(flow), {
        params: { ...(folderless.includes(flow) ? {} : { folder }), ...params },
        cause: { kind: "manual", by: "test" },
        startAtMs: ledger.nowMs(),
        ...facts,
      });
      const submitted = await ledger.submitRun(run);
      await dispatcher.send(hintsOf([submitted.run]));
      return submitted.run;
    },
    untilState,
    untilEnded: (run) => untilState(run, ...endedRunStates),
    until,
    openGate: (name) => writeFileSync(join(folder, name), ""),
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker.stop();
      await dispatcher.close();
      await ledger.close();
      rmSync(folder, { recursive: true, force: true });
      // The folder that `newSqlitePath` has made for it.
      if (place.ledger.kind === "sqlite")
        rmSync(dirname(place.ledger.path), { recursive: true, force: true });
    },
  };
}

/** Trial flows that keep no journal. */
const folderless = ["wide", "crowded"];

/** A new place for a SQLite ledger, below a folder. */
export function newSqlitePath(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return join(mkdtempSync(join(folder, "ledger-")), "ledger.db");
}
