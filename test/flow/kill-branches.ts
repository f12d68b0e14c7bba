/**
 * Parallel branches under workers that are killed at random moments: whatever dies when, no finished task's result is
 * swapped, lost or made again.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { FlowRun, TaskRun } from "../../src/model/run-record.ts";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";
import type { FlowStand } from "./flow-stand.ts";
import { startWorkerProcess, type WorkerProcess } from "./start-worker-process.ts";
import { readJournal } from "./trial-flows.ts";

/** Runs under way at once, and branches of each. */
const runsAtOnce = 4;
const branchCount = 5;
const stepCount = 3;

/** How long a worker may live once it works, ms: a run without kills takes some 100 ms. */
const lifeMsMax = 180;

export type BranchKills = Readonly<{
  kills: number;
  runs: number;
  attemptsMost: number;
  faults: readonly string[];
}>;

/** A run, and what its tasks have been seen to have finished with. */
type Watched = { readonly run: FlowRun; readonly name: string; readonly finished: Map<string, Finished> };
type Finished = Readonly<{ json: string; calls: number }>;

/**
 * Kills workers until so many have been killed, then lets one finish all runs.
 *
 * @param seed - fixes when workers are killed; what the system does meanwhile it does not.
 */
export async function killBranches(
  stand: FlowStand,
  options: Readonly<{ killsMax: number; seed: number; say: (line: string) => void }>,
): Promise<BranchKills> {
  const random = createSeededRandom(options.seed);
  const open: Watched[] = [];
  const faults: string[] = [];
  let runs = 0;
  let attemptsMost = 0;
  const start = (): WorkerProcess =>
    startWorkerProcess({ place: stand.place, isApart: false, slots: runsAtOnce, sweepMs: 50 });
  const look = async (): Promise<void> => {
    // Another worker goes on meanwhile: calls are counted last, when those of what is finished were made.
    const seen = await Promise.all(
      open.map(async (watched) => {
        const run = (await stand.ledger.readRun(watched.run.id)) ?? watched.run;
        return { watched, run, tasks: await stand.ledger.readTasks(run.id) };
      }),
    );
    const calls = countCalls(stand.folder);
    for (const { watched, run, tasks } of seen) {
      faults.push(...watch(watched, tasks, calls));
      if (run.endedAtMs === null) continue;
      attemptsMost = Math.max(attemptsMost, run.attempt);
      faults.push(...judge(run, watched, calls));
      open.splice(open.indexOf(watched), 1);
    }
  };
  let next = start();
  try {
    for (let kills = 1; kills <= options.killsMax; kills++) {
      for (; open.length < runsAtOnce; runs++) {
        const name = `r${runs}`;
        open.push({
          run: await stand.submit("branches", { count: branchCount, name }),
          name,
          finished: new Map(),
        });
      }
      const current = next;
      next = start(); // It loads while the current one works.
      await current.ready;
      await wait(random.between(5, lifeMsMax));
      current.child.kill("SIGKILL");
      await current.exited;
      await look();
      if (kills % 20 === 0) options.say(`${kills} killed, ${runs} runs, ${faults.length} faults`);
    }
    await Promise.all(open.map(({ run }) => stand.untilEnded(run)));
    await look();
  } finally {
    next.child.kill("SIGKILL");
    await next.exited;
  }
  return { kills: options.killsMax, runs, attemptsMost, faults };
}

/** How often each call was made, by what it was asked: `r1 0 -`. */
function countCalls(folder: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of readJournal(folder)) {
    const asked = line.split(" ").slice(1, 4).join(" ");
    counts.set(asked, (counts.get(asked) ?? 0) + 1);
  }
  return counts;
}

/** What a task was asked, as the journal has it, out of its arguments as they are shown. */
function askedOf({ input }: TaskRun): string {
  const [, name, branch, before] = JSON.parse(`[${input}]`) as readonly string[]; // Its arguments, short enough to be whole.
  return `${name} ${branch} ${before === "" ? "-" : before}`;
}

/** Compares what is finished with what was finished before. */
function watch(
  { finished }: Watched,
  tasks: readonly TaskRun[],
  calls: ReadonlyMap<string, number>,
): readonly string[] {
  const faults: string[] = [];
  for (const task of tasks) {
    const before = finished.get(task.key);
    const json = task.result !== null && "json" in task.result ? task.result.json : undefined;
    const asked = askedOf(task);
    const count = calls.get(asked) ?? 0;
    if (before !== undefined && before.json !== json) faults.push(`${asked}: ${before.json} became ${json}`);
    if (before !== undefined && before.calls !== count)
      faults.push(`${asked} was finished and was called again`);
    if (before === undefined && json !== undefined) finished.set(task.key, { json, calls: count });
  }
  return faults;
}

/** What is wrong with a run that is over: each branch must be a chain of calls, and each link what its task has stored. */
function judge(
  run: FlowRun,
  { name, finished }: Watched,
  calls: ReadonlyMap<string, number>,
): readonly string[] {
  if (run.state !== "succeeded") return [`${name} is ${run.state}: ${run.error?.message}`];
  const stored = new Set([...finished.values()].map(({ json }) => JSON.parse(json) as string));
  const given = run.result !== null && "json" in run.result ? run.result.json : "[]";
  const branches = JSON.parse(given) as readonly (readonly string[])[]; // As `branches` returns it.
  const faults = branches.flatMap((steps, branch) =>
    steps.flatMap((value, step) => {
      const asked = `${name} ${branch} ${step === 0 ? "-" : steps[step - 1]}`;
      const isRight = value.startsWith(`${branch}:`) && stored.has(value) && calls.has(asked);
      return isRight ? [] : [`${asked} gave ${value}, which it has not stored`];
    }),
  );
  const isWhole = branches.length === branchCount && branches.every((steps) => steps.length === stepCount);
  const count =
    finished.size === branchCount * stepCount ? [] : [`${name} has ${finished.size} finished tasks`];
  return [...faults, ...(isWhole ? [] : [`${name} gave ${given}`]), ...count];
}
