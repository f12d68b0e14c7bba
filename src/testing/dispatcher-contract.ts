/**
 * What every dispatcher must keep: it brings ids of queued runs to those who listen, and it only hints (F18). Knows no
 * test runner, as `ledgerContract` does not.
 */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { type FlowRunId, newWorkerId } from "../model/run-ids.ts";
import type { FlowRun, NewRun } from "../model/run-record.ts";
import type { Dispatcher, Listener, RunHint } from "../ports/dispatcher.ts";
import type { Ledger } from "../ports/ledger.ts";
import { fenceOf, newRun } from "./ledger-under-test.ts";
import type { DefineTest } from "./object-store-contract.ts";

/** A dispatcher over an empty ledger, both on the real clock. */
export type DispatcherUnderTest = Readonly<{
  ledger: Ledger;
  dispatcher: Dispatcher;
  /** Opens the same dispatcher once more, as another process would. */
  reopen: () => Promise<Dispatcher>;
  dispose: () => Promise<void>;
}>;

/** How long something that must come may take, ms; on a busy machine much takes seconds. */
const patienceMs = 20_000;

/** How long something that must not come is waited for, ms: longer than any dispatcher's pause between two looks. */
const quietMs = 2500;

/** Runs of the test that takes many. */
const manyRuns = 60;

/**
 * Defines the contract's tests for one dispatcher.
 *
 * @param open - opens a dispatcher over a new, empty ledger for each test.
 */
export function dispatcherContract(test: DefineTest, open: () => Promise<DispatcherUnderTest>): void {
  const check = (name: string, run: (place: DispatcherUnderTest) => Promise<void>): void => {
    test(name, async () => {
      const place = await open();
      try {
        await run(place);
      } finally {
        await place.dispose();
      }
    });
  };

  check("a run that is sent is delivered to who listens, also one that was sent before", async (place) => {
    const early = await submit(place);
    const worker = await listenAndFinish(place);
    await until("the early one", () => worker.done.includes(early.id));
    const late = await submit(place);
    await until("the late one", () => worker.done.includes(late.id));
    assert.deepEqual(worker.done, [early.id, late.id]);
  });

  check("a run is not delivered before its time", async (place) => {
    const worker = await listenAndFinish(place);
    const startAtMs = place.ledger.nowMs() + 1500;
    const run = await submit(place, { startAtMs });
    await until("its time", () => worker.done.includes(run.id));
    const owned = await place.ledger.readRun(run.id);
    assert.ok(
      (owned?.startedAtMs ?? 0) >= startAtMs,
      `began ${(owned?.startedAtMs ?? 0) - startAtMs} ms after`,
    );
  });

  check("only runs of the pools that are listened to are delivered", async (place) => {
    const worker = await listenAndFinish(place, { pools: ["small", "big"] });
    const other = await submit(place, { pool: "elsewhere" });
    const runs = [await submit(place, { pool: "big" }), await submit(place, { pool: "small" })];
    await until("both", () => worker.done.length === 2);
    await wait(quietMs);
    assert.deepEqual([...worker.done].sort(), runs.map(({ id }) => id).sort());
    assert.equal((await place.ledger.readRun(other.id))?.state, "queued");
  });

  check("no more is under way at once than there are slots, and all of them are used", async (place) => {
    for (let n = 0; n < 9; n++) await submit(place);
    let underWay = 0;
    let most = 0;
    const worker = await listenAndFinish(place, { slots: 3 }, async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await until("all slots are used", () => most >= 3);
      await wait(100); // A fourth would begin meanwhile.
      underWay -= 1;
    });
    await until("all nine", () => worker.done.length === 9);
    assert.equal(most, 3);
  });

  check("of runs that wait, those of higher priority are delivered first", async (place) => {
    const order: number[] = [];
    for (const priority of [0, 5, -5, 5]) await submit(place, { priority });
    const worker = await listenAndFinish(place, { slots: 1 }, async (run) => {
      order.push(run.priority);
    });
    await until("all four", () => worker.done.length === 4);
    assert.deepEqual(order, [5, 5, 0, -5]);
  });

  check("F18 hints that come twice, or too late, change nothing", async (place) => {
    const worker = await listenAndFinish(place);
    const run = await submit(place);
    await place.dispatcher.send([toHint(run), toHint(run)]);
    await until("it", () => worker.done.includes(run.id));
    await place.dispatcher.send([toHint(run)]);
    const next = await submit(place);
    await until("the next", () => worker.done.includes(next.id));
    assert.deepEqual(worker.done, [run.id, next.id]);
    assert.equal((await place.ledger.readRun(run.id))?.attempt, 1);
  });

  check("two that listen share the runs, each run to one of them", async (place) => {
    const other = await place.reopen();
    const workers = [
      await listenAndFinish(place, { slots: 2 }, () => wait(30)),
      await listenAndFinish({ ...place, dispatcher: other }, { slots: 2 }, () => wait(30)),
    ];
    const runs: FlowRun[] = [];
    for (let n = 0; n < manyRuns; n++) runs.push(await submit(place));
    const done = () => workers.flatMap((worker) => worker.done);
    await until("all of them", () => done().length === manyRuns);
    assert.deepEqual([...done()].sort(), runs.map(({ id }) => id).sort());
    assert.ok(
      workers.every((worker) => worker.done.length > 0),
      "one of them had nothing to do",
    );
  });

  check("after it was stopped a listener gets nothing, and what is under way goes on", async (place) => {
    const gate = Promise.withResolvers<void>();
    const worker = await listenAndFinish(place, {}, () => gate.promise);
    const first = await submit(place);
    await until("the first to begin", () => worker.begun.includes(first.id));
    await worker.stop();
    const second = await submit(place);
    gate.resolve();
    await until("the first to end", () => worker.done.includes(first.id));
    await wait(quietMs);
    assert.deepEqual(worker.begun, [first.id]);
    const successor = await listenAndFinish(place);
    await place.dispatcher.send([toHint(second)]);
    await until("the second", () => successor.done.includes(second.id));
  });
}

const toHint = ({ id, pool, priority, startAtMs }: FlowRun): RunHint => ({ id, pool, priority, startAtMs });

/** Makes a run and tells of it. */
async function submit(
  { ledger, dispatcher }: DispatcherUnderTest,
  facts: Partial<NewRun> = {},
): Promise<FlowRun> {
  const { run } = await ledger.submitRun(newRun(ledger, facts));
  await dispatcher.send([toHint(run)]);
  return run;
}

/** A worker as far as a dispatcher knows one: it claims what it is told of, does something, and ends it. */
async function listenAndFinish(
  { ledger, dispatcher }: DispatcherUnderTest,
  listener: Partial<Omit<Listener, "deliver">> = {},
  work: (run: FlowRun) => Promise<void> = async () => {},
): Promise<Readonly<{ begun: FlowRunId[]; done: FlowRunId[]; stop: () => Promise<void> }>> {
  const begun: FlowRunId[] = [];
  const done: FlowRunId[] = [];
  const workerId = newWorkerId();
  const listening = await dispatcher.listen({
    pools: ["default"],
    slots: 1,
    ...listener,
    async deliver(id) {
      const claimed = await ledger.claimRun(id, { workerId, codeVersion: null });
      if (claimed.status === "early") {
        const run = await ledger.readRun(id);
        if (run !== undefined) await dispatcher.send([toHint(run)]);
      }
      if (claimed.status !== "claimed") return;
      begun.push(claimed.run.id);
      await work(claimed.run);
      await ledger.endAttempt(fenceOf(claimed.run), { move: "succeed", result: null });
      done.push(claimed.run.id);
    },
  });
  return { begun, done, stop: () => listening.stop() };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !isSo(); await wait(10)) {
    assert.ok(Date.now() < deadline, `it did not come to it: ${what}`);
  }
}
