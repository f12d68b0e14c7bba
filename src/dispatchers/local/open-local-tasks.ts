/** A queue in memory, for a laptop and for tests: what Cloud Tasks does, as long as the process lives. */
import type { QueuedTask, TaskQueue } from "../../ports/task-queue.ts";
import type { Clock } from "../../ports/world.ts";

/** How tasks are sent. */
export type LocalTasksOptions = Readonly<{
  /** Sends one delivery and answers with its HTTP status. A rejection counts as 500. */
  deliver: (task: QueuedTask, headers: Readonly<Record<string, string>>) => Promise<number>;
  clock: Clock;
  /** Deliveries at once. */
  width: number;
}>;

/** Tries of one task: with the waits between them, some minutes. The next tick makes a task anew. */
const triesMax = 5;
/** Wait after a first failure, ms; four times as long after each further one. */
const firstWaitMs = 1000;
/** How long a name is remembered after its task has ended, ms: as long as Cloud Tasks does. */
const nameMs = 60 * 60_000;
/** Pause between two looks for names to forget, ms: each look goes through all of them. */
const forgetMs = 60_000;

/** Opens a queue. */
export function openLocalTasks({ deliver, clock, width }: LocalTasksOptions): TaskQueue {
  const waiting: QueuedTask[] = [];
  /** Names of tasks that wait, are under way (`undefined`) or ended at an instant, ms. */
  const names = new Map<string, number | undefined>();
  let forgottenAtMs = clock.nowMs();
  const stopped = new AbortController();
  const underWay = new Set<Promise<void>>();

  const forgetNames = (): void => {
    const nowMs = clock.nowMs();
    if (nowMs - forgottenAtMs < forgetMs) return;
    forgottenAtMs = nowMs;
    for (const [name, endedAtMs] of names) {
      if (endedAtMs !== undefined && nowMs - endedAtMs >= nameMs) names.delete(name);
    }
  };
  const send = async (task: QueuedTask): Promise<void> => {
    for (let attempt = 0; attempt < triesMax && !stopped.signal.aborted; attempt++) {
      const headers = {
        "x-cloudtasks-queuename": "local",
        "x-cloudtasks-taskname": task.name,
        "x-cloudtasks-taskretrycount": String(attempt),
      };
      const status = await deliver(task, headers).catch(() => 500);
      if (status < 300) break;
      await clock.sleep(firstWaitMs * 4 ** attempt, stopped.signal).catch(() => {}); // The loop looks why.
    }
    names.set(task.name, clock.nowMs());
  };
  const sendNext = (): void => {
    while (underWay.size < width && !stopped.signal.aborted) {
      const task = waiting.shift();
      if (task === undefined) return;
      const sent = send(task).finally(() => {
        underWay.delete(sent);
        sendNext();
      });
      underWay.add(sent);
    }
  };
  return {
    url: "local:",
    async enqueue(task) {
      forgetNames();
      if (names.has(task.name)) return "known";
      names.set(task.name, undefined);
      waiting.push(task);
      sendNext();
      return "enqueued";
    },
    async close() {
      stopped.abort();
      waiting.length = 0;
      await Promise.all(underWay);
    },
  };
}
