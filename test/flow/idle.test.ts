/** What a process that stays asks the ledger while nothing is to be done, counted on a clock that the test moves. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { openLocalDispatcher } from "../../src/dispatchers/local/open-local-dispatcher.ts";
import { createFlowRegistry, toRecords } from "../../src/flow/deployment.ts";
import { startEventLoop } from "../../src/flow/event-loop.ts";
import { flow } from "../../src/flow/flow.ts";
import { startScheduler } from "../../src/flow/scheduler.ts";
import { startWorker } from "../../src/flow/worker.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import { newWorkerId } from "../../src/model/run-ids.ts";
import type { FlowRun } from "../../src/model/run-record.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import { newRun } from "../../src/testing/ledger-under-test.ts";

/** Calls of the ledger, counted by their name; its mark and its time are no questions to the database. */
function counting(ledger: Ledger): Readonly<{ ledger: Ledger; calls: Map<string, number> }> {
  const calls = new Map<string, number>();
  const counted = new Proxy(ledger, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function" || name === "mark" || name === "nowMs") return value;
      return (...args: unknown[]): unknown => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { ledger: counted, calls };
}

test("a process with nothing to do asks less than four things a second, and hears at once of what others write", async () => {
  const folder = mkdtempSync(join(tmpdir(), "leat-idle-"));
  const clock = createFakeClock();
  const file = join(folder, "ledger.db");
  const whole = await openSqliteLedger(file, clock);
  const other = await openSqliteLedger(file, clock);
  const { ledger, calls } = counting(whole);
  const problems: unknown[] = [];
  const onProblem = (error: unknown): void => void problems.push(error);
  const registry = createFlowRegistry([
    flow("nightly", { schedules: [{ cron: "0 3 * * *" }] }, async () => {}),
  ]);
  const records = toRecords(registry, { codeVersion: null, nowMs: clock.nowMs() });
  await whole.saveDeployments(records.deployments, records.schedules);
  const executed: FlowRun[] = [];
  /** The loops ask one after the other, each in a few turns of the event loop. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 125) {
      await clock.advance(Math.min(125, left));
      for (let turns = 0; turns < 25; turns++) await turn();
    }
  };
  const dispatcher = openLocalDispatcher(ledger, clock);
  const notices = {
    secrets: { resolve: () => Promise.reject(new Error("nobody is told")) },
    clock,
    redact: (text: string) => text,
    runUrl: undefined,
  };
  const executor = {
    execute: async (run: FlowRun) => {
      executed.push(run);
      const fence = { runId: run.id, attempt: run.attempt };
      await ledger.endAttempt(fence, { move: "succeed", result: null });
      return { status: "succeeded" as const, hints: [] };
    },
    cancelChild: () => {},
    close: async () => {},
  };
  const worker = await startWorker(
    { ledger, dispatcher, clock, executor, onProblem },
    { id: newWorkerId(), pools: ["default"], slots: 4, codeVersion: null },
  );
  const scheduler = startScheduler({ ledger, dispatcher, clock, registry, onProblem });
  const events = startEventLoop({ ledger, dispatcher, registry, notices, onProblem });
  try {
    await pass(2000);
    calls.clear();
    await pass(60_000);
    const asked = [...calls.values()].reduce((sum, count) => sum + count, 0);
    expect(asked / 60, JSON.stringify([...calls])).toBeLessThan(4);
    expect(calls.get("beat")).toBeGreaterThanOrEqual(11); // Alive, four times a lease.
    expect(calls.get("sweepLost")).toBeGreaterThanOrEqual(11);
    // Another process makes a run: it is found within a glance.
    await other.submitRun(newRun(other));
    await pass(375);
    expect(executed).toHaveLength(1);
    // One that is to begin later begins then, and not at the next look that happens to come.
    const startAtMs = clock.nowMs() + 1375;
    await other.submitRun(newRun(other, { startAtMs }));
    await pass(1250);
    expect(executed).toHaveLength(1);
    await pass(250);
    expect(executed).toHaveLength(2);
    expect(problems).toEqual([]);
  } finally {
    const stopped = Promise.all([worker.stop(), scheduler.stop(), events.stop(), dispatcher.close()]);
    await pass(1000);
    await stopped;
    await Promise.all([whole.close(), other.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
});
