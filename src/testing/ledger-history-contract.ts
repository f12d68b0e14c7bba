/** What every ledger keeps of history: events in their order, lateness, and what is thrown away. */
import assert from "node:assert/strict";
import type { Ledger } from "../ports/ledger.ts";
import {
  type DefineLedgerTest,
  failure,
  newRun,
  nobody,
  opening,
  startRun,
  succeeded,
} from "./ledger-under-test.ts";

const nobodyClaims = { workerId: nobody, codeVersion: null };

const kinds = async (ledger: Ledger) => (await ledger.listEvents({})).map(({ kind }) => kind);

/** Defines the tests of what is told of runs and how long it is kept. */
export function ledgerHistoryContract(check: DefineLedgerTest): void {
  check(
    "F13 each end is told of once, with the first success after a failure",
    async ({ ledger, advance }) => {
      for (const move of ["succeed", "fail", "fail", "succeed", "succeed"] as const) {
        const { fence } = await startRun(ledger);
        await ledger.endAttempt(
          fence,
          move === "fail" ? { move, error: failure("no") } : { move, result: null },
        );
        advance(1);
      }
      assert.deepEqual(await kinds(ledger), [
        "run.succeeded",
        "run.failed",
        "run.failed",
        "run.recovered",
        "run.succeeded",
        "run.succeeded",
      ]);
      const [first] = await ledger.listEvents({ kinds: ["run.failed"] });
      assert.deepEqual([first?.subject, first?.isHandled], ["nightly", false]);
      await ledger.markHandled([first!.id]);
      assert.equal((await ledger.listEvents({ kinds: ["run.failed"], isHandled: false })).length, 1);
    },
  );

  check("F13 events appear in the order of their ids, to whoever reads along", async ({ ledger, reopen }) => {
    const reader = await reopen();
    const seen: number[] = [];
    let isDone = false;
    const reading = (async () => {
      for (;;) {
        const isLast = isDone;
        const events = await reader.listEvents({ afterId: seen.at(-1) ?? 0, limit: 1000 });
        seen.push(...events.map(({ id }) => id));
        if (isLast) return;
      }
    })();
    const event = { kind: "test", subject: "s", runId: null, data: {}, dedupKey: null };
    await Promise.all(Array.from({ length: 60 }, () => ledger.appendEvent(event)));
    isDone = true;
    await reading;
    const all = (await ledger.listEvents({ limit: 1000 })).map(({ id }) => id);
    assert.equal(all.length, 60);
    assert.deepEqual(seen, all);
  });

  check("an event of a key that was there is the first one", async ({ ledger }) => {
    const event = { kind: "webhook", subject: "hook", runId: null, data: { n: 1 }, dedupKey: "delivery-1" };
    const first = await ledger.appendEvent(event);
    const second = await ledger.appendEvent({ ...event, data: { n: 2 } });
    assert.deepEqual([first.isNew, second], [true, { id: first.id, isNew: false }]);
    assert.deepEqual(
      (await ledger.listEvents({})).map(({ data }) => data),
      [{ n: 1 }],
    );
  });

  check("a run that has not ended in time is told of once", async ({ ledger, advance }) => {
    const { run } = await ledger.submitRun(newRun(ledger, { lateAtMs: ledger.nowMs() + 100 }));
    assert.deepEqual(await ledger.markLate(), []);
    advance(100);
    assert.deepEqual(
      (await ledger.markLate()).map(({ id }) => id),
      [run.id],
    );
    assert.deepEqual(await ledger.markLate(), []);
    assert.deepEqual([await kinds(ledger), (await ledger.readRun(run.id))?.isLate], [["run.late"], true]);
  });

  check(
    "pruning takes old runs with all they have, and leaves the newest and what is not over",
    async (place) => {
      const { ledger, advance } = place;
      const old = await startRun(ledger);
      await ledger.openTask(old.fence, opening("make::1"));
      await ledger.changeTask(old.fence, "make::1", {
        ...succeeded("1"),
        cache: { key: "make", expiresAtMs: ledger.nowMs() + 1e9 },
      });
      const child = await ledger.adoptRun(old.fence, "sub::1", newRun(ledger), nobodyClaims);
      assert.ok(child.status === "adopted");
      await ledger.endAttempt(old.fence, { move: "succeed", result: null });
      const open = await startRun(ledger);
      advance(1000);
      const newest = await startRun(ledger);
      await ledger.endAttempt(newest.fence, { move: "succeed", result: null });
      advance(1000);
      const policy = { endedBeforeMs: ledger.nowMs(), keepPerDeployment: 1, runsMax: 100 };
      const gone = await ledger.prune(policy);
      assert.deepEqual([...gone].sort(), [old.run.id, child.run.id].sort());
      assert.equal(await ledger.readRun(old.run.id), undefined);
      assert.deepEqual([await ledger.readTasks(old.run.id), await ledger.listAttempts(old.run.id)], [[], []]);
      assert.equal(await ledger.readCached("make"), undefined);
      assert.ok(
        (await ledger.readRun(open.run.id)) !== undefined &&
          (await ledger.readRun(newest.run.id)) !== undefined,
      );
      assert.deepEqual(await ledger.prune(policy), []);
    },
  );

  check("old events go when they were handled, but for what tells of a table's columns", async (place) => {
    const { ledger, advance } = place;
    const told = { subject: "shop.orders", runId: null, data: {}, dedupKey: null };
    const ids: number[] = [];
    for (const kind of ["stream.packages", "stream.schema"])
      ids.push((await ledger.appendEvent({ ...told, kind })).id);
    await ledger.markHandled(ids);
    await ledger.appendEvent({ ...told, kind: "stream.packages" }); // Nobody has handled it.
    advance(1000);
    await ledger.prune({ endedBeforeMs: ledger.nowMs(), keepPerDeployment: 0, runsMax: 10 });
    const left = await ledger.listEvents({});
    assert.deepEqual(
      left.map(({ kind, isHandled }) => [kind, isHandled]),
      [
        ["stream.schema", true],
        ["stream.packages", false],
      ],
    );
  });
}
