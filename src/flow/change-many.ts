/** One change for many runs: each by itself, so that one that is refused holds up no other. */
import { setImmediate as turn } from "node:timers/promises";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { FlowRunId } from "../model/run-ids.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Ledger, RunFilter } from "../ports/ledger.ts";
import { hintsOf } from "./run-hints.ts";

/** Runs of one request: a back-fill makes as many at most. */
export const changedMax = 10_000;

/** Runs that are looked up at a time. */
const pageRuns = 1000;

/** Runs after which others have their turn, and workers are told: each run is some ms of the ledger's. */
const runsPerTurn = 10;

/** Refusals that are told one by one; all of them are counted. */
const refusalsToldMax = 20;

/** Which runs: by their ids, or all that a filter finds now. */
export type ChosenRuns = Readonly<{ ids: readonly FlowRunId[] } | { filter: Omit<RunFilter, "limit"> }>;

export type Refusal = Readonly<{ id: FlowRunId; code: string; message: string }>;

/** What became of them. */
export type ChangedRuns = Readonly<{
  /** Runs that were looked at. */
  matched: number;
  /** Changed ones, by the state they are in now. */
  changed: Readonly<Record<string, number>>;
  /** Those that were not changed, by the code that says why. */
  refused: Readonly<Record<string, number>>;
  refusals: readonly Refusal[];
  /** The filter finds more; go on after this run. */
  next: FlowRunId | null;
}>;

/**
 * Changes them, newest first where a filter finds them.
 *
 * @param change - changes one; gives it as it is now, and runs that can begin because of it.
 * @throws LeatError where the ledger is away. What was changed before stays changed.
 */
export async function changeMany(
  { ledger, dispatcher }: Readonly<{ ledger: Ledger; dispatcher: Dispatcher }>,
  chosen: ChosenRuns,
  change: (run: FlowRun) => Promise<Readonly<{ run: FlowRun; next: readonly FlowRun[] }>>,
): Promise<ChangedRuns> {
  const changed: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const refusals: Refusal[] = [];
  let matched = 0;
  let last: FlowRunId | null = null;
  let toBegin: FlowRun[] = [];
  const refuse = (id: FlowRunId, { code, message }: LeatError): void => {
    refused[code] = (refused[code] ?? 0) + 1;
    if (refusals.length < refusalsToldMax) refusals.push({ id, code, message });
  };
  for await (const { id, run } of eachRun(ledger, chosen)) {
    if (matched === changedMax) return { matched, changed, refused, refusals, next: last };
    matched += 1;
    last = id;
    try {
      if (run === undefined) throw new LeatError("RUN_UNKNOWN", { message: `There is no run "${id}".` });
      const ended = await change(run);
      changed[ended.run.state] = (changed[ended.run.state] ?? 0) + 1;
      toBegin.push(...ended.next);
    } catch (error) {
      if (!isLeatError(error) || error.code.startsWith("LEDGER_")) throw error;
      refuse(id, error);
    }
    if (matched % runsPerTurn > 0) continue;
    await dispatcher.send(hintsOf(toBegin));
    toBegin = [];
    await turn();
  }
  await dispatcher.send(hintsOf(toBegin));
  return { matched, changed, refused, refusals, next: null };
}

type Found = Readonly<{ id: FlowRunId; run: FlowRun | undefined }>;

async function* eachRun(ledger: Ledger, chosen: ChosenRuns): AsyncGenerator<Found> {
  if ("ids" in chosen) {
    for (const id of new Set(chosen.ids)) yield { id, run: await ledger.readRun(id) };
    return;
  }
  let { before } = chosen.filter;
  for (;;) {
    const runs: readonly FlowRun[] = await ledger.listRuns({ ...chosen.filter, before, limit: pageRuns });
    for (const run of runs) yield { id: run.id, run };
    before = runs.at(-1)?.id;
    if (runs.length < pageRuns) return;
  }
}
