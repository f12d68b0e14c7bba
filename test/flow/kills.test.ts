/** Workers that are killed or stopped at any moment: what is finished stays, and the rest is done by others. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FlowStand, openFlowStand } from "./flow-stand.ts";
import { killBranches } from "./kill-branches.ts";
import { dieAtEach, listKillPoints } from "./kill-points.ts";
import { describePlaces } from "./stand-places.ts";
import { startWorkerProcess, type WorkerProcess } from "./start-worker-process.ts";
import { countNotes, readJournal } from "./trial-flows.ts";

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
      // A fifth of them, others for each ledger; `node test/torture/flows.ts` takes all.
      const drawn = points.filter((_, index) => index % 5 === stand.place.ledger.kind.length % 5);
      expect(await dieAtEach(stand, drawn)).toEqual([]);
    });

    test("F4 F5 parallel branches that are killed at any time keep, in their places, what is finished", {
      timeout: 180_000,
    }, async () => {
      const report = await killBranches(stand, { killsMax: 8, seed: 20_261_121, say: () => {} });
      expect(report.faults).toEqual([]);
      expect(report.runs).toBeGreaterThanOrEqual(4);
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

    test("F15 a worker that is killed loses no line that is older than a batch", async () => {
      const killed = start({ isApart: false });
      await killed.ready;
      const run = await stand.submit("logger");
      await stand.until("there are a hundred lines", () => readJournal(stand.folder).length >= 100);
      killed.child.kill("SIGKILL");
      await killed.exited;
      const logged = readJournal(stand.folder).map((line) => line.split(" ").map(Number));
      const lines = (await stand.ledger.readLogs(run.id, { limit: 5000 })).map(({ message }) =>
        Number(message),
      );
      expect(lines).toEqual(lines.map((_, index) => index));
      const lastMs = logged.at(-1)?.[2] ?? 0;
      // A batch is 250 ms; the write of one, on a busy machine, may take as long again.
      const kept = logged.filter((one) => (one[2] ?? 0) < lastMs - 750);
      expect(kept.length).toBeGreaterThan(20);
      expect(lines.length).toBeGreaterThanOrEqual(kept.length);
    });

    test("F12 a run whose worker nobody can ask is taken over within thirty seconds", async () => {
      // A process that stands still looks to others as one on a host that is gone: its lease decides.
      const silent = start({ isApart: false });
      await silent.ready;
      const run = await stand.submit("gated", { gate: "g" });
      await stand.until("it holds", () => countNotes(stand.folder, "hold g") === 1);
      silent.child.kill("SIGSTOP");
      const silentMs = Date.now();
      await stand.startWorker({ sweepMs: 5000 });
      await stand.until("another holds", () => countNotes(stand.folder, "hold g") === 2);
      expect(Date.now() - silentMs).toBeLessThan(30_000);
      stand.openGate("g");
      expect(await stand.untilEnded(run)).toMatchObject({ state: "succeeded", attempt: 2 });
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
