/** What the contract of ledgers needs of one, and the runs it is tried with. */
import { newFlowRunId, newWorkerId, toWorkerId, type WorkerId } from "../model/run-ids.ts";
import type { Fence, FlowRun, KeyLimit, NewRun, StoredError, WorkerRecord } from "../model/run-record.ts";
import type { Ledger, TaskChange, TaskOpening } from "../ports/ledger.ts";
import type { DefineTest } from "./object-store-contract.ts";

/** An empty ledger, opened for one test. */
export type LedgerUnderTest = Readonly<{
  ledger: Ledger;
  /** Opens the same one once more, as another process would. */
  reopen: () => Promise<Ledger>;
  /** Moves the time of all of them on. */
  advance: (ms: number) => void;
  /** Throws it away. */
  dispose: () => Promise<void>;
}>;

/** Defines tests, each with an empty ledger of its own. */
export type DefineLedgerTest = (name: string, run: (place: LedgerUnderTest) => Promise<void>) => void;

export function ledgerTests(test: DefineTest, open: () => Promise<LedgerUnderTest>): DefineLedgerTest {
  return (name, run) => {
    test(name, async () => {
      const place = await open();
      try {
        await run(place);
      } finally {
        await place.dispose();
      }
    });
  };
}

/** A run to be, with what a test says of it. */
export const newRun = (ledger: Ledger, facts: Partial<NewRun> = {}): NewRun => ({
  id: newFlowRunId(),
  flow: "nightly",
  deployment: "nightly",
  pool: "default",
  params: { day: "2026-01-01" },
  priority: 0,
  startAtMs: ledger.nowMs(),
  scheduledAtMs: null,
  lateAtMs: null,
  cause: { kind: "manual", by: "test" },
  keyLimit: null,
  idempotencyKey: null,
  coalesceKey: null,
  ...facts,
});

/** A limit of one key. */
export const keyOf = (key: string, limit = 1, onConflict: KeyLimit["onConflict"] = "queue"): KeyLimit => ({
  key,
  limit,
  onConflict,
});

/** A worker that the ledger knows. */
export async function addWorker(ledger: Ledger, facts: Partial<WorkerRecord> = {}): Promise<WorkerId> {
  const id = newWorkerId();
  await ledger.saveWorker({
    id,
    kind: "worker",
    pools: ["default"],
    slots: 4,
    host: "here",
    pid: 1,
    codeVersion: null,
    leaseMs: 20_000,
    startedAtMs: ledger.nowMs(),
    seenAtMs: ledger.nowMs(),
    ...facts,
  });
  return facts.id ?? id;
}

/** Claims a run for a worker; throws when it is not to be had. */
export async function claim(ledger: Ledger, run: NewRun, workerId: WorkerId): Promise<FlowRun> {
  const claimed = await ledger.claimRun(run.id, { workerId, codeVersion: "code-1" });
  if (claimed.status !== "claimed") throw new Error(`the run was not claimed: ${JSON.stringify(claimed)}`);
  return claimed.run;
}

/** A run that a worker owns, and the fence of its attempt. */
export async function startRun(
  ledger: Ledger,
  facts: Partial<NewRun> = {},
): Promise<Readonly<{ run: FlowRun; fence: Fence; workerId: WorkerId }>> {
  const workerId = await addWorker(ledger);
  const { run } = await ledger.submitRun(newRun(ledger, facts));
  const owned = await claim(ledger, run, workerId);
  return { run: owned, fence: fenceOf(owned), workerId };
}

export const fenceOf = (run: FlowRun): Fence => ({ runId: run.id, attempt: run.attempt });

/** A call of a task. */
export const opening = (key: string, facts: Partial<TaskOpening> = {}): TaskOpening => ({
  key,
  name: key.split(":")[0] ?? key,
  kind: "task",
  ordinal: 1,
  input: null,
  produces: [],
  consumes: [],
  limit: null,
  wait: null,
  ...facts,
});

export const failure = (message: string): StoredError => ({
  code: "FLOW_FAILED",
  name: "LeatError",
  message,
  hint: null,
  retryable: true,
  details: { seen: 1 },
  stack: null,
});

/** A result as a task gives it. */
export const succeeded = (json: string): TaskChange & { move: "succeed" } => ({
  move: "succeed",
  result: { json },
  isCached: false,
  cache: null,
});

/** A worker that no ledger knows. */
export const nobody: WorkerId = toWorkerId("nobody");
