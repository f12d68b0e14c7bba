/** Workers that are killed or stopped at any moment: what is finished stays, and the rest is done by others. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FlowRun } from "../../src/model/run-record.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { type FlowStand, openFlowStand, startTrialWorker } from "./flow-stand.ts";
import { describePlaces } from "./stand-places.ts";
import { startWorkerProcess, type WorkerProcess } from "./start-worker-process.ts";
import { countNotes, readJournal } from "./trial-flows.ts";
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

/** Workers that are killed at once; each is a process. */
const atOnce = 3;

describePlaces(
  (newPlace) => {
    let stand: FlowStand;
    const processes: WorkerProcess[] = [];
    const start = (options: Omit<Parameters<typeof startWorkerProcess>[0], "place">): WorkerProcess => {
      const started = startWorkerProcess({ place: stand.place, ...options });
      processes.push(started);
      return started;
    };
    beforeEach(async () => {
      stand = await openFlowStand(await newPlace());
    });
    afterEach(async () => {
      for (const { child, exited } of processes.splice(0)) {
        child.kill("SIGKILL");
        await exited;
      }
      await stand[Symbol.asyncDispose]();
    });

    test("F5 a worker that is killed at any write for a run loses nothing of it", {
      timeout: 180_000,
    }, async () => {
      const points = await listKillPoints(stand);
      expect(points.length).toBeGreaterThan(40);
      const waiting = [...points.entries()];
      const lane = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          await dieAndRecover(stand, start, next[1], `pool-${next[0]}`);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
    });

    describe.each([
      false,
      true,
    ])("F3 a worker that was stopped and goes on (processes apart: %s)", (isApart) => {
      test("finds its run taken over, changes nothing of it, and works on", async () => {
        const zombie = start({ isApart, leaseMs: 1500, sweepMs: 200, slots: 1 });
        await zombie.ready;
        const run = await stand.submit("gated", { gate: "g" });
        await stand.until("it holds", () => countNotes(stand.folder, "hold g") === 1);
        zombie.child.kill("SIGSTOP");
        const heir = await stand.startWorker({ sweepMs: 100 });
        await stand.until("the heir holds", () => countNotes(stand.folder, "hold g") === 2);
        const [before] = await stand.ledger.readTasks(run.id);
        zombie.child.kill("SIGCONT");
        await stand.until(
          "the zombie is known again",
          async () => (await stand.ledger.listWorkers()).length === 2,
        );
        stand.openGate("g");
        const ended = await stand.untilEnded(run);
        expect(ended).toMatchObject({ state: "succeeded", attempt: 2, lostCount: 1, workerId: heir.id });
        expect(ended.result).toEqual({ json: '["before g","held g","after g"]' });
        expect((await stand.ledger.listAttempts(run.id)).map(({ end }) => end)).toEqual(["lose", "succeed"]);
        expect((await stand.ledger.readTasks(run.id))[0]).toEqual(before);
        expect([countNotes(stand.folder, "before g"), countNotes(stand.folder, "after g")]).toEqual([1, 1]);
        await heir.stop();
        const next = await stand.untilEnded(await stand.submit("ordered"));
        expect(next).toMatchObject({ state: "succeeded", attempt: 1 });
        expect(zombie.words()).toBe("");
      });
    });

    test("F12 a worker that is killed with its runs loses them to another within seconds", async () => {
      const killed = start({ isApart: true });
      await killed.ready;
      const runs = [await stand.submit("gated", { gate: "g" }), await stand.submit("gated", { gate: "h" })];
      await stand.until(
        "both hold",
        () => readJournal(stand.folder).filter((line) => line.startsWith("hold")).length === 2,
      );
      killed.child.kill("SIGKILL");
      const killedMs = Date.now();
      await stand.startWorker({ sweepMs: 5000 });
      const attempts = async () =>
        Promise.all(runs.map(async ({ id }) => (await stand.ledger.readRun(id))?.attempt));
      await stand.until("both are taken over", async () =>
        (await attempts()).every((attempt) => attempt === 2),
      );
      expect(Date.now() - killedMs).toBeLessThan(15_000);
      stand.openGate("g");
      stand.openGate("h");
      for (const run of runs)
        expect(await stand.untilEnded(run)).toMatchObject({ state: "succeeded", attempt: 2 });
      expect([countNotes(stand.folder, "before g"), countNotes(stand.folder, "before h")]).toEqual([1, 1]);
    });
  },
  ["SQLite and the local dispatcher", "Postgres and pg-boss"],
);

/** The moments before and after each write of a whole run. */
async function listKillPoints(stand: FlowStand): Promise<readonly KillPoint[]> {
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
  expect((await stand.untilEnded(await stand.submit("whole"))).state).toBe("succeeded");
  await worker.stop();
  return [...counts].flatMap(([method, count]) =>
    Array.from({ length: count }, (_, index) =>
      (["before", "after"] as const).map((phase) => ({ method, phase, n: index + 1 })),
    ).flat(),
  );
}

/** Lets a worker die at one point of a run of its own, and another finish the run. */
async function dieAndRecover(
  stand: FlowStand,
  start: (options: Omit<Parameters<typeof startWorkerProcess>[0], "place">) => WorkerProcess,
  killAt: KillPoint,
  pool: string,
): Promise<void> {
  const folder = mkdtempSync(join(stand.folder, "run-")); // Its journal holds this run alone.
  const name = `${killAt.phase} ${killAt.method} ${killAt.n}`;
  const run = await stand.submit("whole", { folder }, { pool });
  await start({ isApart: false, pools: [pool], killAt }).exited;
  const left = await stand.ledger.readTasks(run.id);
  const journalBefore = readJournal(folder);
  const worker = await stand.startWorker({ pools: [pool], sweepMs: 50 });
  const ended = await stand.untilEnded(run);
  await worker.stop();
  expect([name, ended.state, ended.error]).toEqual([name, "succeeded", null]);
  expect([name, await judgeWhole(stand, ended)]).toEqual([name, []]);
  // What was finished before has the same result, and was not called again.
  const again = readJournal(folder).slice(journalBefore.length);
  const now = new Map((await stand.ledger.readTasks(run.id)).map((task) => [task.key, task]));
  for (const task of left.filter(({ state }) => state === "succeeded")) {
    const { result } = task;
    expect([name, now.get(task.key)?.result]).toEqual([name, result]);
    const drawn = result !== null && "json" in result ? String(JSON.parse(result.json)).split("=")[0] : "";
    expect([name, again.filter((line) => line === `draw ${drawn}`)]).toEqual([name, []]);
  }
}

/** What is wrong with the result of a run of `whole`: a name out of its place, or a value that no task has stored. */
async function judgeWhole(stand: FlowStand, run: FlowRun): Promise<readonly string[]> {
  const names = ["a", "b1", "b2", "c1", "c2", "d1", "d2"];
  const children = await stand.ledger.listRuns({ parentId: run.id });
  const tasks = (await Promise.all([run, ...children].map(({ id }) => stand.ledger.readTasks(id)))).flat();
  const stored = tasks.flatMap(({ result }) =>
    result !== null && "json" in result ? [JSON.parse(result.json)] : [],
  );
  const given = run.result !== null && "json" in run.result ? (JSON.parse(run.result.json) as string[]) : []; // As declared.
  return names.flatMap((name, index) => {
    const value = given[index] ?? "";
    return value.startsWith(`${name}=`) && stored.includes(value) ? [] : [`${name} is ${value}`];
  });
}
