/** What every ledger keeps of the ends of runs: cancelled, retried, lost, waiting. */
import assert from "node:assert/strict";
import { newWorkerId } from "../model/run-ids.ts";
import { foregroundPoolOf } from "../model/run-record.ts";
import type { Ledger } from "../ports/ledger.ts";
import {
  addWorker,
  claim,
  type DefineLedgerTest,
  failure,
  fenceOf,
  newRun,
  nobody,
  opening,
  startRun,
  succeeded,
} from "./ledger-under-test.ts";

const hasCode = (code: string) => (error: unknown) =>
  error instanceof Error && "code" in error && error.code === code;

const nobodyClaims = { workerId: nobody, codeVersion: null };

const kinds = async (ledger: Ledger) => (await ledger.listEvents({})).map(({ kind }) => kind);

/** Defines the tests of how runs end and begin again. */
export function ledgerEndContract(check: DefineLedgerTest): void {
  check("a queued run is cancelled at once, a running one is asked", async ({ ledger }) => {
    const { run } = await ledger.submitRun(newRun(ledger));
    const cancelled = (await ledger.cancelRun(run.id, "not today")).run;
    assert.deepEqual([cancelled.state, cancelled.cancelReason], ["cancelled", "not today"]);
    const owned = await startRun(ledger);
    await ledger.openTask(owned.fence, opening("make::1"));
    assert.equal((await ledger.cancelRun(owned.run.id, "stop")).run.state, "cancelling");
    assert.equal((await ledger.cancelRun(owned.run.id, "stop")).run.state, "cancelling");
    const { owned: seen } = await ledger.beat(owned.workerId);
    assert.deepEqual(seen, [{ runId: owned.run.id, rootId: owned.run.id, attempt: 1, isCancelling: true }]);
    // Its attempt still owns it, until it says that it has ended.
    assert.equal(await ledger.changeTask(owned.fence, "make::1", succeeded("1")), "changed");
    await ledger.endAttempt(owned.fence, { move: "stop", error: failure("cancelled") });
    assert.equal((await ledger.readRun(owned.run.id))?.state, "cancelled");
    await assert.rejects(ledger.cancelRun(owned.run.id, "again"), hasCode("RUN_STATE"));
    await assert.rejects(ledger.cancelRun(newRun(ledger).id, "who"), hasCode("RUN_UNKNOWN"));
  });

  check("what was under way when a run ended is cancelled, what is finished stays", async ({ ledger }) => {
    const { run, fence } = await startRun(ledger);
    for (const key of ["done::1", "failed::1", "running::1", "retrying::1", "waiting::1"]) {
      await ledger.openTask(fence, opening(key, key === "waiting::1" ? { wait: { wakeAtMs: 5 } } : {}));
    }
    await ledger.changeTask(fence, "done::1", succeeded("1"));
    await ledger.changeTask(fence, "failed::1", { move: "fail", error: failure("no") });
    await ledger.changeTask(fence, "retrying::1", { move: "retry", error: failure("no"), retryAtMs: 9 });
    await ledger.endAttempt(fence, { move: "fail", error: failure("no") });
    const states = Object.fromEntries(
      (await ledger.readTasks(run.id)).map((task) => [task.name, task.state]),
    );
    assert.deepEqual(states, {
      done: "succeeded",
      failed: "failed",
      running: "cancelled",
      retrying: "cancelled",
      waiting: "cancelled",
    });
  });

  check("F6 a retry keeps what is finished and resets what failed", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    for (const key of ["done::1", "failed::1", "open::1"]) await ledger.openTask(fence, opening(key));
    await ledger.changeTask(fence, "done::1", succeeded('"kept"'));
    await ledger.changeTask(fence, "failed::1", { move: "fail", error: failure("no") });
    await ledger.endAttempt(fence, { move: "fail", error: failure("no") });
    advance(5);
    const again = await ledger.retryRun(run.id, {});
    assert.deepEqual([again.state, again.attempt, again.error], ["queued", 1, null]);
    const tasks = await ledger.readTasks(run.id);
    assert.deepEqual(
      tasks.map(({ name, state, result, error }) => [name, state, result, error]),
      [
        ["done", "succeeded", { json: '"kept"' }, null],
        ["failed", "pending", null, null],
        ["open", "pending", null, null],
      ],
    );
    assert.equal((await claim(ledger, run, await addWorker(ledger))).attempt, 2);
    assert.equal(await ledger.openTask({ runId: run.id, attempt: 2 }, opening("failed::1")), "opened");
  });

  check("F6 a retry by policy resets what failed, a takeover does not", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    await ledger.openTask(fence, opening("failed::1"));
    await ledger.changeTask(fence, "failed::1", { move: "fail", error: failure("no") });
    advance(60_000);
    await ledger.sweepLost(() => undefined);
    const second = await claim(ledger, run, await addWorker(ledger));
    const [replayed] = await ledger.readTasks(run.id);
    assert.deepEqual([replayed?.state, replayed?.error?.message], ["failed", "no"]);
    const startAtMs = ledger.nowMs() + 1000;
    await ledger.endAttempt(fenceOf(second), { move: "retry", error: failure("no"), startAtMs });
    const waiting = await ledger.readRun(run.id);
    assert.deepEqual([waiting?.state, waiting?.startAtMs, waiting?.retryCount], ["queued", startAtMs, 1]);
    assert.equal((await ledger.readTasks(run.id))[0]?.state, "pending");
  });

  check("a retry from a task resets it and all that came later", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    for (const [index, name] of ["find", "load", "load", "tell"].entries()) {
      const key = `${name}:${index}:1`;
      await ledger.openTask(fence, opening(key, { ordinal: index + 1 }));
      await ledger.changeTask(fence, key, succeeded(String(index)));
      advance(1);
    }
    await ledger.endAttempt(fence, { move: "succeed", result: { json: "4" } });
    await assert.rejects(ledger.retryRun(run.id, {}), hasCode("RUN_STATE"));
    await assert.rejects(ledger.retryRun(run.id, { fromTask: "laod" }), (error) => {
      assert.ok(hasCode("TASK_UNKNOWN")(error) && String((error as { hint?: string }).hint).includes("load"));
      return true;
    });
    const again = await ledger.retryRun(run.id, { fromTask: "load" });
    assert.deepEqual([again.state, again.result], ["queued", null]);
    const states = (await ledger.readTasks(run.id)).map((task) => task.state);
    assert.deepEqual(states, ["succeeded", "pending", "pending", "pending"]);
  });

  check(
    "F12 a worker that is silent for its lease loses its runs, whose keys and tasks stay",
    async (place) => {
      const { ledger, advance } = place;
      const { run, fence, workerId } = await startRun(ledger);
      await ledger.openTask(fence, opening("done::1"));
      await ledger.changeTask(fence, "done::1", succeeded("1"));
      advance(20_000);
      assert.deepEqual(await ledger.sweepLost(() => undefined), { requeued: [], ended: [] });
      await ledger.beat(workerId);
      advance(20_000);
      assert.equal((await ledger.sweepLost(() => undefined)).requeued.length, 0);
      advance(1);
      const { requeued } = await ledger.sweepLost(() => undefined);
      assert.deepEqual(
        requeued.map(({ id, state, lostCount }) => [id, state, lostCount]),
        [[run.id, "queued", 1]],
      );
      assert.deepEqual(await ledger.beat(workerId), { isKnown: false, owned: [] });
      assert.deepEqual(
        (await ledger.listAttempts(run.id)).map((one) => one.end),
        ["lose"],
      );
      assert.ok((await kinds(ledger)).includes("run.lost"));
      const second = await claim(ledger, run, await addWorker(ledger));
      assert.deepEqual([second.attempt, (await ledger.readTasks(run.id))[0]?.state], [2, "succeeded"]);
    },
  );

  check("F12 a worker whose process is known to be gone loses its runs at once", async ({ ledger }) => {
    const { run } = await startRun(ledger);
    const alive = await startRun(ledger);
    const dead = run.workerId;
    const { requeued } = await ledger.sweepLost((worker) => (worker.id === dead ? true : undefined));
    assert.deepEqual(
      requeued.map(({ id }) => id),
      [run.id],
    );
    assert.equal((await ledger.readRun(alive.run.id))?.state, "running");
  });

  check("F12 of two sweeps at once one takes a run away", async ({ ledger, reopen, advance }) => {
    const { run } = await startRun(ledger);
    advance(60_000);
    const other = await reopen();
    const swept = await Promise.all(
      [ledger, other, ledger, other].map((one) => one.sweepLost(() => undefined)),
    );
    assert.equal(swept.flatMap(({ requeued }) => requeued).length, 1);
    assert.equal((await ledger.readRun(run.id))?.lostCount, 1);
  });

  check("F12 a run that has cost twenty workers is failed", async ({ ledger, advance }) => {
    const { run } = await startRun(ledger);
    for (let lost = 1; lost <= 20; lost++) {
      advance(60_000);
      assert.equal((await ledger.sweepLost(() => undefined)).requeued.length, 1, `lost ${lost}`);
      await claim(ledger, run, await addWorker(ledger));
    }
    advance(60_000);
    const { ended } = await ledger.sweepLost(() => undefined);
    assert.deepEqual(
      ended.map(({ state, error }) => [state, error?.code]),
      [["failed", "RUN_LOST"]],
    );
  });

  check("a run in the foreground whose process is gone is failed, running or queued", async (place) => {
    const { ledger, advance } = place;
    const id = newWorkerId();
    const pool = foregroundPoolOf(id);
    await addWorker(ledger, { id, kind: "foreground", pools: [pool] });
    const { run } = await ledger.submitRun(newRun(ledger, { pool }));
    const { run: queued } = await ledger.submitRun(newRun(ledger, { pool }));
    await claim(ledger, run, id);
    advance(60_000);
    assert.equal((await ledger.sweepLost(() => false)).ended.length, 0, "its process is there");
    const { ended } = await ledger.sweepLost(() => true);
    assert.deepEqual(
      ended.map(({ state, error }) => [state, error?.code]),
      [
        ["failed", "RUN_LOST"],
        ["failed", "RUN_LOST"],
      ],
    );
    assert.equal((await ledger.readRun(queued.id))?.state, "failed");
    assert.equal((await ledger.retryRun(run.id, { pool: "default" })).pool, "default");
  });

  check("F14 a run that sleeps is woken when its time has come", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    await ledger.openTask(
      fence,
      opening("sleep:1:1", { kind: "sleep", wait: { wakeAtMs: ledger.nowMs() + 50 } }),
    );
    const wakeAtMs = ledger.nowMs() + 50;
    await ledger.endAttempt(fence, { move: "suspend", wakeAtMs, questions: 0 });
    assert.deepEqual(await ledger.wakeRuns(), []);
    advance(50);
    assert.deepEqual(
      (await ledger.wakeRuns()).map(({ id, state }) => [id, state]),
      [[run.id, "queued"]],
    );
    const [slept] = await ledger.readTasks(run.id);
    assert.deepEqual([slept?.state, slept?.wakeAtMs], ["waiting", wakeAtMs]);
  });

  check(
    "an answer wakes the run that asked, also one that comes before the run waits",
    async ({ ledger }) => {
      const answer = { isApproved: true, by: "ada", note: "fine", input: { rows: 3 }, atMs: 7 };
      for (const isEarly of [false, true]) {
        const { run, fence } = await startRun(ledger);
        await ledger.openTask(
          fence,
          opening("approve:go?:1", { kind: "approval", wait: { wakeAtMs: null } }),
        );
        const suspend = () => ledger.endAttempt(fence, { move: "suspend", wakeAtMs: null, questions: 1 });
        if (!isEarly) await suspend();
        await assert.rejects(
          ledger.answerApproval(run.id, "approve:gone?:1", answer),
          hasCode("APPROVAL_UNKNOWN"),
        );
        await ledger.answerApproval(run.id, "approve:go?:1", answer);
        if (isEarly) await suspend();
        assert.equal((await ledger.readRun(run.id))?.state, "queued", `early: ${isEarly}`);
        const [asked] = await ledger.readTasks(run.id);
        assert.deepEqual([asked?.state, asked?.result], ["succeeded", { json: JSON.stringify(answer) }]);
        await assert.rejects(
          ledger.answerApproval(run.id, "approve:go?:1", answer),
          hasCode("APPROVAL_UNKNOWN"),
        );
      }
    },
  );

  check("a no is a failure, and a retry of the run asks again", async ({ ledger }) => {
    const { run, fence } = await startRun(ledger);
    const ask = opening("approve:go?:1", { kind: "approval", wait: { wakeAtMs: null } });
    await ledger.openTask(fence, ask);
    await ledger.answerApproval(run.id, ask.key, {
      isApproved: false,
      by: "ada",
      note: null,
      input: null,
      atMs: 7,
    });
    const [asked] = await ledger.readTasks(run.id);
    assert.deepEqual([asked?.state, asked?.error?.code], ["failed", "APPROVAL_REFUSED"]);
    await ledger.endAttempt(fence, { move: "fail", error: failure("refused") });
    await ledger.retryRun(run.id, {});
    const second = fenceOf(await claim(ledger, run, await addWorker(ledger)));
    assert.equal(await ledger.openTask(second, ask), "opened");
    assert.equal((await ledger.readTasks(run.id))[0]?.state, "waiting");
  });

  check(
    "a sub-flow belongs to the attempt of its parent, and goes where it goes",
    async ({ ledger, advance }) => {
      const { run, fence, workerId } = await startRun(ledger);
      const by = { workerId, codeVersion: null };
      const adopted = await ledger.adoptRun(fence, "sub:1:1", newRun(ledger, { deployment: "sub" }), by);
      assert.ok(adopted.status === "adopted");
      const child = adopted.run;
      assert.deepEqual([child.parentId, child.rootId, child.attempt], [run.id, run.id, 1]);
      assert.deepEqual(
        (await ledger.listRuns({})).map(({ id }) => id),
        [run.id],
      );
      assert.deepEqual(
        (await ledger.listRuns({ parentId: run.id })).map(({ id }) => id),
        [child.id],
      );
      await assert.rejects(ledger.retryRun(child.id, {}), hasCode("RUN_STATE"));
      advance(60_000);
      await ledger.sweepLost(() => undefined);
      const second = await claim(ledger, run, await addWorker(ledger));
      const again = await ledger.adoptRun(fenceOf(second), "sub:1:1", newRun(ledger), by);
      assert.ok(again.status === "adopted");
      assert.deepEqual([again.run.id, again.run.attempt], [child.id, 2]);
      assert.equal(await ledger.openTask(fenceOf(child), opening("late::1")), "fenced");
      await ledger.endAttempt(fenceOf(second), { move: "fail", error: failure("no") });
      assert.equal((await ledger.readRun(child.id))?.state, "cancelled");
      await ledger.retryRun(run.id, {});
      const third = await claim(ledger, run, await addWorker(ledger));
      const once = await ledger.adoptRun(fenceOf(third), "sub:1:1", newRun(ledger), by);
      assert.ok(once.status === "adopted");
      await ledger.endAttempt(fenceOf(once.run), { move: "succeed", result: { json: "9" } });
      const over = await ledger.adoptRun(fenceOf(third), "sub:1:1", newRun(ledger), by);
      assert.ok(over.status === "ended");
      assert.deepEqual(over.run.result, { json: "9" });
    },
  );

  check("a sub-flow is not held up by a key that its own parent holds", async ({ ledger }) => {
    const keyLimit = { key: "k", limit: 1, onConflict: "queue" } as const;
    const { fence } = await startRun(ledger, { keyLimit });
    const child = await ledger.adoptRun(fence, "sub::1", newRun(ledger, { keyLimit }), nobodyClaims);
    assert.equal(child.status, "adopted");
    const other = await startRun(ledger);
    const stranger = await ledger.adoptRun(other.fence, "sub::1", newRun(ledger, { keyLimit }), nobodyClaims);
    assert.equal(stranger.status, "limited");
  });
}
