/** What every ledger keeps when its clock is set back or on, and when code is deployed while runs are under way. */
import assert from "node:assert/strict";
import {
  addWorker,
  claim,
  type DefineLedgerTest,
  failure,
  fenceOf,
  keyOf,
  newRun,
  nobody,
  startRun,
} from "./ledger-under-test.ts";

const hourMs = 3_600_000;

/** Defines the tests of clocks that jump, and of code versions. */
export function ledgerClockContract(check: DefineLedgerTest): void {
  check("a lease ends in its time, also when the clock was set back", async ({ ledger, advance }) => {
    const [one, two] = [await addWorker(ledger), await addWorker(ledger)];
    assert.equal(await ledger.takeLease("events", one, 15_000), true);
    advance(-hourMs);
    assert.equal(await ledger.takeLease("events", two, 15_000), true);
    assert.equal(await ledger.takeLease("events", one, 15_000), false);
    // Giving a lease back takes nobody else's.
    await ledger.takeLease("events", one, 0);
    assert.equal(await ledger.takeLease("events", one, 15_000), false);
  });

  check("F12 who died before the clock was set back is found within its lease", async (place) => {
    const { ledger, advance } = place;
    const { run, workerId } = await startRun(ledger);
    advance(-hourMs);
    assert.equal((await ledger.sweepLost(() => undefined)).requeued.length, 0, "it may be alive");
    const alive = await startRun(ledger);
    advance(15_000);
    assert.equal((await ledger.beat(alive.workerId)).isKnown, true);
    advance(6000);
    const { requeued } = await ledger.sweepLost(() => undefined);
    assert.deepEqual(
      requeued.map(({ id }) => id),
      [run.id],
    );
    assert.deepEqual(
      (await ledger.listWorkers()).map(({ id }) => id),
      [alive.workerId],
      `${workerId} is gone`,
    );
  });

  check(
    "a run that was to begin at once may, when the clock was set back since",
    async ({ ledger, advance }) => {
      const { run } = await ledger.submitRun(newRun(ledger, { keyLimit: keyOf("k") }));
      const later = await ledger.submitRun(newRun(ledger, { startAtMs: ledger.nowMs() + 1000 }));
      advance(-hourMs);
      const filter = { pools: ["default"], limit: 10 };
      for (const queuedBeforeMs of [undefined, ledger.nowMs() - 5000]) {
        const claimable = await ledger.listClaimable({
          ...filter,
          ...(queuedBeforeMs !== undefined && { queuedBeforeMs }),
        });
        assert.deepEqual(
          claimable.map(({ id }) => id),
          [run.id],
        );
      }
      const owned = await claim(ledger, run, await addWorker(ledger));
      const next = await ledger.submitRun(newRun(ledger, { keyLimit: keyOf("k") }));
      advance(-hourMs);
      const ended = await ledger.endAttempt(fenceOf(owned), { move: "succeed", result: null });
      assert.ok(ended.status === "ended");
      assert.deepEqual(
        ended.next.map(({ id }) => id),
        [next.run.id],
      );
      const early = await ledger.claimRun(later.run.id, { workerId: nobody, codeVersion: null });
      assert.equal(early.status, "early");
    },
  );

  check("a retry that is to wait does, whatever the clock did", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    const startAtMs = ledger.nowMs() + 60_000;
    await ledger.endAttempt(fence, { move: "retry", error: failure("no"), startAtMs });
    advance(-hourMs);
    const claimed = await ledger.claimRun(run.id, { workerId: nobody, codeVersion: null });
    assert.deepEqual(claimed, { status: "early", startAtMs });
  });

  check("a first attempt began with the code that its process says, a later one is marked", async (place) => {
    const { ledger, advance } = place;
    const { run, fence } = await startRun(ledger); // Claimed with code-1.
    assert.equal(await ledger.noteCode(fence, "code-2"), "written");
    const began = await ledger.readRun(run.id);
    assert.deepEqual([began?.codeVersion, began?.isCodeChanged], ["code-2", false]);
    advance(60_000);
    await ledger.sweepLost(() => undefined);
    assert.equal(await ledger.noteCode(fence, "code-3"), "fenced");
    const second = await claim(ledger, run, await addWorker(ledger)); // With code-1: other code than it began with.
    assert.equal(second.isCodeChanged, true);
    const fresh = await startRun(ledger);
    advance(60_000);
    await ledger.sweepLost(() => undefined);
    const again = await claim(ledger, fresh.run, await addWorker(ledger));
    assert.equal(again.isCodeChanged, false);
    await ledger.noteCode(fenceOf(again), "code-1");
    assert.equal((await ledger.readRun(fresh.run.id))?.isCodeChanged, false);
    await ledger.noteCode(fenceOf(again), "code-2");
    const marked = await ledger.readRun(fresh.run.id);
    assert.deepEqual([marked?.codeVersion, marked?.isCodeChanged], ["code-1", true]);
    const versions = (await ledger.listAttempts(fresh.run.id)).map(({ codeVersion }) => codeVersion);
    assert.deepEqual(versions, ["code-1", "code-2"]);
  });

  check("the next moment is told at which a run may begin, wakes or is late", async ({ ledger, advance }) => {
    const nowMs = ledger.nowMs();
    assert.equal(await ledger.nextDueMs(nowMs), null);
    const { run: late } = await ledger.submitRun(newRun(ledger, { lateAtMs: nowMs + 4000 }));
    assert.equal(await ledger.nextDueMs(nowMs), nowMs + 4000);
    await ledger.submitRun(newRun(ledger, { startAtMs: nowMs + 3000 }));
    assert.equal(await ledger.nextDueMs(nowMs), nowMs + 3000);
    const { fence } = await startRun(ledger);
    await ledger.endAttempt(fence, { move: "suspend", wakeAtMs: nowMs + 2000, questions: 0 });
    assert.equal(await ledger.nextDueMs(nowMs), nowMs + 2000);
    advance(5000);
    assert.equal((await ledger.wakeRuns()).length, 1);
    assert.deepEqual(
      (await ledger.markLate()).map(({ id }) => id),
      [late.id],
    );
    assert.equal(await ledger.nextDueMs(ledger.nowMs()), null);
    const over = await ledger.submitRun(newRun(ledger, { lateAtMs: ledger.nowMs() + 1000 }));
    await ledger.cancelRun(over.run.id, "test");
    assert.equal(await ledger.nextDueMs(ledger.nowMs()), null, "what is over is never late");
  });

  check("a mark, where there is one, is another after every write, and the same without", async (place) => {
    const { ledger, reopen } = place;
    if (ledger.mark() === undefined) return; // Only a look tells.
    const other = await reopen();
    await ledger.listRuns({});
    const before = ledger.mark();
    await Promise.all([ledger.listRuns({}), other.listRuns({}), other.wakeRuns(), other.markLate()]);
    assert.equal(ledger.mark(), before);
    const own = await ledger.submitRun(newRun(ledger));
    const afterOwn = ledger.mark();
    assert.notEqual(afterOwn, before);
    await other.cancelRun(own.run.id, "test");
    assert.notEqual(ledger.mark(), afterOwn);
  });

  check("claimable runs of several pools are in one order", async ({ ledger, advance }) => {
    const made: string[] = [];
    for (const [pool, priority] of [
      ["a", 0],
      ["b", 5],
      ["b", 0],
      ["a", 5],
    ] as const) {
      made.push((await ledger.submitRun(newRun(ledger, { pool, priority }))).run.id);
      advance(1);
    }
    const listed = await ledger.listClaimable({ pools: ["a", "b", "none"], limit: 3 });
    assert.deepEqual(
      listed.map(({ id }) => id),
      [made[1], made[3], made[0]],
    );
    assert.deepEqual(await ledger.listClaimable({ pools: [], limit: 3 }), []);
  });

  check("runs that are not over are counted by pool and state", async ({ ledger }) => {
    for (const pool of ["a", "a", "b"]) await ledger.submitRun(newRun(ledger, { pool }));
    const { fence } = await startRun(ledger, { pool: "b" });
    await ledger.adoptRun(fence, "sub::1", newRun(ledger), { workerId: nobody, codeVersion: null });
    const over = await ledger.submitRun(newRun(ledger));
    await ledger.cancelRun(over.run.id, "test");
    assert.deepEqual(await ledger.countRuns(), [
      { pool: "a", state: "queued", count: 2 },
      { pool: "b", state: "queued", count: 1 },
      { pool: "b", state: "running", count: 1 },
    ]);
  });

  check("events are listed from the newest down where they are asked for so", async ({ ledger }) => {
    const told = { subject: "s", runId: null, data: {}, dedupKey: null };
    for (const kind of ["a", "b", "c"]) await ledger.appendEvent({ ...told, kind });
    const [newest, before] = await ledger.listEvents({ isNewestFirst: true, limit: 2 });
    assert.deepEqual([newest?.kind, before?.kind], ["c", "b"]);
    const rest = await ledger.listEvents({ isNewestFirst: true, beforeId: before?.id });
    assert.deepEqual(
      rest.map(({ kind }) => kind),
      ["a"],
    );
    const { run } = await ledger.submitRun(newRun(ledger));
    await ledger.appendEvent({ ...told, kind: "of a run", runId: run.id });
    const own = await ledger.listEvents({ runId: run.id });
    assert.deepEqual([own.every(({ runId }) => runId === run.id), own.at(-1)?.kind], [true, "of a run"]);
  });
}
