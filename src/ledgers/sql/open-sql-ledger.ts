/** The ledger in SQL: one code for both engines, which differ in their dialect, their errors and how they lock. */
import type { Ledger } from "../../ports/ledger.ts";
import { adoptRun, claimRun, noteCode } from "./claim-run.ts";
import { cancelRun, endAttempt } from "./end-attempt.ts";
import { appendEvent, listEvents, markHandled } from "./event-rows.ts";
import { listMakers } from "./lineage-rows.ts";
import {
  countByState,
  countRuns,
  findRuns,
  listAttempts,
  listClaimable,
  listRuns,
  nextDueMs,
} from "./list-runs.ts";
import { appendLogs, listArtifacts, readLogs, saveArtifact } from "./log-rows.ts";
import { findLogs, markLogs } from "./mark-logs.ts";
import { migrateLedger } from "./migrations.ts";
import { type Patience, withPatience } from "./patience.ts";
import { pruneLedger } from "./prune-ledger.ts";
import { retryRun } from "./retry-run.ts";
import { readRow, toFlowRun } from "./run-rows.ts";
import { fireSchedule, listDeployments, listSchedules, saveDeployments, setPaused } from "./schedule-rows.ts";
import { submitRun } from "./submit-run.ts";
import { countRunsBySpan, listFailing, listKeyStandings } from "./summarize-runs.ts";
import { markLate, sweepLost, wakeRuns } from "./sweep-lost.ts";
import type { LedgerWorld } from "./tables.ts";
import { answerApproval, changeTask, openTask, readCached, readTasks } from "./task-rows.ts";
import { beat, listWorkers, removeWorker, saveWorker, takeLease } from "./worker-rows.ts";

/**
 * Opens the ledger over a database: brings its tables to this version, then every call waits with patience.
 *
 * @param mark - tells cheaply whether anything was written; `undefined`: the engine has no such thing.
 * @param close - ends what the engine has opened beside Kysely.
 */
export async function openSqlLedger(
  world: LedgerWorld,
  patience: Patience,
  { mark, close }: Readonly<{ mark: () => string | undefined; close: () => Promise<void> }>,
): Promise<Ledger> {
  /** Makes a call of the ledger out of one that takes the world first. */
  const patient =
    <Args extends readonly unknown[], Result>(
      what: string,
      call: (world: LedgerWorld, ...args: Args) => Promise<Result>,
    ): ((...args: Args) => Promise<Result>) =>
    (...args) =>
      withPatience(patience, what, () => call(world, ...args));

  await withPatience(patience, "opening it", () => migrateLedger(world, patience.url));
  return {
    url: patience.url,
    nowMs: world.nowMs,
    mark,
    submitRun: patient("submitting a run", submitRun),
    claimRun: patient("claiming a run", claimRun),
    adoptRun: patient("beginning a sub-flow", adoptRun),
    noteCode: patient("saying which code runs", noteCode),
    endAttempt: patient("ending an attempt", endAttempt),
    listClaimable: patient("looking for runs", listClaimable),
    nextDueMs: patient("looking for what falls due", nextDueMs),
    cancelRun: patient("cancelling a run", cancelRun),
    retryRun: patient("retrying a run", retryRun),
    readRun: patient("reading a run", async (world, id) => {
      const row = await readRow(world.db, id);
      return row === undefined ? undefined : toFlowRun(row);
    }),
    listRuns: patient("listing runs", listRuns),
    countByState: patient("counting runs", countByState),
    countRuns: patient("counting runs", countRuns),
    countRunsBySpan: patient("counting runs by time", countRunsBySpan),
    listFailing: patient("listing failures", listFailing),
    listKeyStandings: patient("summing up runs", listKeyStandings),
    findRuns: patient("finding a run", findRuns),
    listAttempts: patient("listing attempts", listAttempts),
    readTasks: patient("reading tasks", readTasks),
    openTask: patient("opening a task", openTask),
    changeTask: patient("ending a task", changeTask),
    readCached: patient("reading the cache", readCached),
    listMakers: patient("looking who made what", listMakers),
    answerApproval: patient("answering a question", answerApproval),
    appendLogs: patient("writing a log", appendLogs),
    readLogs: patient("reading a log", readLogs),
    markLogs: patient("measuring a log", markLogs),
    findLogs: patient("searching a log", findLogs),
    saveArtifact: patient("saving an artifact", saveArtifact),
    listArtifacts: patient("listing artifacts", listArtifacts),
    appendEvent: patient("writing an event", appendEvent),
    listEvents: patient("listing events", listEvents),
    markHandled: patient("marking events", markHandled),
    saveDeployments: patient("saving deployments", saveDeployments),
    listDeployments: patient("listing deployments", listDeployments),
    listSchedules: patient("listing schedules", listSchedules),
    setPaused: patient("pausing a schedule", setPaused),
    fireSchedule: patient("firing a schedule", fireSchedule),
    saveWorker: patient("saying who works", saveWorker),
    beat: patient("saying that a worker is alive", beat),
    removeWorker: patient("removing a worker", removeWorker),
    listWorkers: patient("listing workers", listWorkers),
    sweepLost: patient("sweeping", sweepLost),
    wakeRuns: patient("waking runs", wakeRuns),
    markLate: patient("looking for late runs", markLate),
    takeLease: patient("taking a lease", takeLease),
    prune: patient("pruning", pruneLedger),
    close,
  };
}
