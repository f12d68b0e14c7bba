/** Workers that die before or after any write for a run, and what must be so when another has finished it. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { FlowRun, TaskRun } from "../../src/model/run-record.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { type FlowStand, startTrialWorker } from "./flow-stand.ts";
import { startWorkerProcess } from "./start-worker-process.ts";
import { readJournal } from "./trial-flows.ts";
import type { KillPoint } from "./worker-process.ts";

/** Methods of the ledger that write for a run. */
const writers = [
  "claimRun",
  "openTask",
  "changeTask",
  "adoptRun",
  "saveArtifact",
  "appendLogs",
  "endAttempt",
] as const;

/** Workers that die at once; each is a process. */
const atOnce = 3;

/** The moments before and after each write of a whole run. */
export async function listKillPoints(stand: FlowStand): Promise<readonly KillPoint[]> {
  const counts = new Map<string, number>();
  const counted = Object.fromEntries(
    writers.map((method) => [
      method,
      (...args: unknown[]) => {
        counts.set(method, (counts.get(method) ?? 0) + 1);
        // Each method is called with what it was given.
        return (stand.ledger[method] as (...args: unknown[]) => Promise<unknown>)(...args);
      },
    ]),
  ) as unknown as Ledger; // Its other methods are the stand's.
  const ledger: Ledger = { ...stand.ledger, ...counted };
  const worker = await startTrialWorker(ledger, stand.dispatcher, {}, (error) => stand.problems.push(error));
  const run = await stand.untilEnded(await stand.submit("whole"));
  await worker.stop();
  if (run.state !== "succeeded") throw new Error(`a run that nobody killed is ${run.state}`);
  return [...counts].flatMap(([method, count]) =>
    Array.from({ length: count }, (_, index) =>
      (["before", "after"] as const).map((phase) => ({ method, phase, n: index + 1 })),
    ).flat(),
  );
}

/** Lets a worker die at each of these points, some at once. @returns what was wrong. */
export async function dieAtEach(stand: FlowStand, points: readonly KillPoint[]): Promise<readonly string[]> {
  const waiting = [...points.entries()];
  const faults: string[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      faults.push(...(await dieAndRecover(stand, next[1], `pool-${next[0]}`)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return faults;
}

/** Lets a worker die at one point of a run in a pool of its own, and another finish the run. */
async function dieAndRecover(stand: FlowStand, killAt: KillPoint, pool: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(stand.folder, "run-")); // Its journal holds this run alone.
  const name = `${killAt.phase} ${killAt.method} ${killAt.n}`;
  const run = await stand.submit("whole", { folder }, { pool });
  const dying = startWorkerProcess({ place: stand.place, isApart: false, pools: [pool], killAt });
  await dying.exited;
  const left = await readAllTasks(stand, run);
  const seenCount = readJournal(folder).length;
  const worker = await stand.startWorker({ pools: [pool], sweepMs: 50 });
  const ended = await stand.untilEnded(run);
  await worker.stop();
  const now = await readAllTasks(stand, run);
  const again = new Set(readJournal(folder).slice(seenCount));
  const faults = [
    ...(dying.child.signalCode === "SIGKILL" ? [] : [`it was not killed: ${dying.words()}`]),
    ...(ended.state === "succeeded" ? [] : [`it is ${ended.state}: ${ended.error?.message}`]),
    ...judgeResult(ended, now),
    ...left.filter(isFinished).flatMap((task) => judgeFinished(task, now, again)),
  ];
  return faults.map((fault) => `killed ${name}: ${fault}`);
}

/** Tasks of a run and of its sub-flows. */
async function readAllTasks(stand: FlowStand, run: Pick<FlowRun, "id">): Promise<readonly TaskRun[]> {
  const children = await stand.ledger.listRuns({ parentId: run.id });
  return (await Promise.all([run, ...children].map(({ id }) => stand.ledger.readTasks(id)))).flat();
}

const isFinished = ({ state }: TaskRun): boolean => state === "succeeded";

const readValue = ({ result }: Pick<TaskRun, "result">): unknown =>
  result !== null && "json" in result ? JSON.parse(result.json) : undefined;

/** What was finished before has the same result, and was not called again. */
function judgeFinished(
  task: TaskRun,
  now: readonly TaskRun[],
  again: ReadonlySet<string>,
): readonly string[] {
  const same = now.find(({ runId, key }) => runId === task.runId && key === task.key);
  const value = String(readValue(task));
  return [
    ...(same !== undefined && readValue(same) === value ? [] : [`${task.key} had ${value} and lost it`]),
    ...(again.has(`draw ${value.split("=")[0]}`) ? [`${task.key} was finished and is called again`] : []),
  ];
}

/** Each value is in its place, and is one that its task has stored. */
function judgeResult(run: FlowRun, tasks: readonly TaskRun[]): readonly string[] {
  const names = ["a", "b1", "b2", "c1", "c2", "d1", "d2"];
  const stored = new Set(tasks.map(readValue));
  const given = (readValue(run) ?? []) as readonly string[]; // As `whole` returns it.
  return names.flatMap((name, index) => {
    const value = given[index] ?? "";
    return value.startsWith(`${name}=`) && stored.has(value) ? [] : [`${name} is ${value}`];
  });
}
