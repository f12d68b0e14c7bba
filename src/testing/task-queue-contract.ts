/** What every queue of tasks must keep: each name is one task, and it is sent as it was given. Knows no test runner. */
import assert from "node:assert/strict";
import { type QueuedTask, type TaskQueue, taskNameMax } from "../ports/task-queue.ts";
import type { DefineTest } from "./object-store-contract.ts";

/** An empty queue, and what it sends. */
export type QueueUnderTest = Readonly<{
  queue: TaskQueue;
  /** Tasks that were sent or are about to be, in any order, once there are so many. */
  readSent: (count: number) => Promise<readonly Readonly<{ name: string; path: string; body: unknown }>[]>;
  dispose: () => Promise<void>;
}>;

/** Tasks of the test that takes many. */
const manyTasks = 200;

const taskOf = (name: string, tenant = "414"): QueuedTask => ({
  name,
  path: "/old%20shop/orders",
  body: { tenant_id: tenant, not_after: "2026-01-01T04:00:00.000Z" },
});

/**
 * Defines the contract's tests for one queue.
 *
 * @param open - opens an empty queue for each test.
 */
export function taskQueueContract(test: DefineTest, open: () => Promise<QueueUnderTest>): void {
  const check = (name: string, run: (place: QueueUnderTest, signal: AbortSignal) => Promise<void>): void => {
    test(name, async () => {
      const place = await open();
      try {
        await run(place, new AbortController().signal);
      } finally {
        await place.dispose();
      }
    });
  };
  const appUrl = "https://app.example";

  check("a task is sent with its path and its body, whatever letters are in it", async (place, signal) => {
    const task = taskOf("a-task_1", "Größe/€ 日本");
    assert.equal(await place.queue.enqueue(task, appUrl, signal), "enqueued");
    assert.deepEqual(await place.readSent(1), [task]);
  });

  check("a name that is there or was a short time ago is not taken again", async (place, signal) => {
    assert.equal(await place.queue.enqueue(taskOf("twice"), appUrl, signal), "enqueued");
    assert.equal(await place.queue.enqueue(taskOf("twice"), appUrl, signal), "known");
    await place.readSent(1);
    assert.equal(await place.queue.enqueue(taskOf("twice"), appUrl, signal), "known");
    assert.equal((await place.readSent(1)).length, 1);
  });

  check("of a name that is handed over many times at once one task is made", async (place, signal) => {
    const ended = await Promise.all(
      Array.from({ length: 20 }, () => place.queue.enqueue(taskOf("at-once"), appUrl, signal)),
    );
    assert.equal(ended.filter((one) => one === "enqueued").length, 1);
    assert.equal((await place.readSent(1)).length, 1);
  });

  check(
    "many tasks of different names are all sent, also those of the longest names",
    async (place, signal) => {
      const names = Array.from({ length: manyTasks }, (_, index) => `n${index}_`.padEnd(taskNameMax, "x"));
      for (const name of names)
        assert.equal(await place.queue.enqueue(taskOf(name), appUrl, signal), "enqueued");
      const sent = await place.readSent(manyTasks);
      assert.deepEqual(sent.map(({ name }) => name).sort(), names.toSorted());
    },
  );
}
