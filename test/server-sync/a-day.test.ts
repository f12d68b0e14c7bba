/** A hundred tenants of ten streams, every hour of a day: what a planner asks of a queue, and what it costs. */
import { expect, test } from "vitest";
import { estimateCost, sumCost } from "../../src/cli/deploy-cost.ts";
import type { Project } from "../../src/ports/project.ts";
import type { Tenant } from "../../src/ports/source.ts";
import type { QueuedTask } from "../../src/ports/task-queue.ts";
import { planSyncs } from "../../src/server/sync/plan-syncs.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";
import { fakeSource, fakeTenants } from "../server/fake-stages.ts";

const { signal } = new AbortController();
/** Cloud Tasks dispatches so many of one queue in a second. */
const dispatchesPerSecond = 500;

test("each stream and tenant gets one task an hour, whatever dies or is called twice on the way", async () => {
  const streams = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`stream_${index}`, undefined]),
  );
  const { source } = fakeSource("shop", streams);
  const project = { sources: [source] } as unknown as Project; // All that a planner looks at.
  const tenants: readonly Tenant[] = fakeTenants(
    ...Array.from({ length: 100 }, (_, index) => `tenant-${index}`),
  );
  const clock = createFakeClock(Date.UTC(2026, 0, 1, 0, 2, 30));
  const random = createSeededRandom(7);
  const store = createMemoryStore();
  const tasks = new Map<string, QueuedTask>();
  let [requests, planners, deaths] = [0, 0, 0];
  const ports = {
    project,
    schedules: [
      {
        kind: "sync",
        id: "sync",
        ticks: { kind: "cron", cron: "0 * * * *", timezone: "UTC" },
        names: [],
        tenants: [],
      },
    ],
    readTenants: () => tenants,
    store,
    clock,
    queue: {
      url: "fake:",
      async enqueue(task: QueuedTask) {
        requests++;
        if (random.fraction() < 0.0002) throw new Error("the planner dies here");
        if (tasks.has(task.name)) return "known";
        tasks.set(task.name, task);
        return "enqueued";
      },
      async close() {},
    },
  } as const;
  const most: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute += 5) {
    const before = tasks.size;
    // Cloud Scheduler calls at least once, and now and then twice, or not at all for a while.
    const calls = minute >= 600 && minute < 660 ? 0 : random.fraction() < 0.05 ? 2 : 1;
    const ended = await Promise.allSettled(
      Array.from({ length: calls }, () => planSyncs(ports, "https://app.example", signal)),
    );
    planners += calls;
    deaths += ended.filter(({ status }) => status === "rejected").length;
    most.push(tasks.size - before);
    await clock.advance(5 * 60_000);
  }
  const slots = [...tasks.values()].map(
    ({ name, body, path }) => `${path} ${String(body["tenant_id"])} ${name.slice(-14)}`,
  );
  expect(new Set(slots).size).toBe(slots.length);
  expect(deaths).toBeGreaterThan(0);
  // The hour in which no planner ran is made up for by the next one's tick: 24 ticks, less that one.
  expect(slots.length).toBe(23 * 1000);
  expect(Math.max(...most)).toBeLessThanOrEqual(1000);
  expect(Math.max(...most) / dispatchesPerSecond).toBeLessThanOrEqual(2); // Seconds of the queue's rate.

  const cost = estimateCost({
    runs: 720_000,
    works: 2880 + 8640,
    looks: 2880 * 1000,
    commits: 7200,
    schedulerJobs: 2,
    isPlanned: true,
    runSeconds: 20,
    concurrency: 4,
    cpu: 1,
    memoryGib: 0.5,
    landedGb: 50,
    warehouseGib: 50,
    scannedTib: 1,
    secrets: 100,
    isFreeTier: true,
  });
  console.log(
    `a day: ${planners} plans (${deaths} died), ${requests} requests to the queue, ${tasks.size} tasks, 96 loads of each table (of 1,500); a month: ${sumCost(cost)} USD (${cost.map(({ what, usd }) => `${what} ${usd}`).join(", ")})`,
  );
  expect(sumCost(cost)).toBeLessThan(150);
});
