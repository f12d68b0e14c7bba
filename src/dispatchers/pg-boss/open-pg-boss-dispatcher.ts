/** The dispatcher of many machines: a queue in Postgres by pg-boss, told of news by NOTIFY. */
import type { PgBoss } from "pg-boss";
import { LeatError } from "../../errors/leat-error.ts";
import { toFlowRunId } from "../../model/run-ids.ts";
import type { Dispatcher, Listener, Listening, RunHint } from "../../ports/dispatcher.ts";
import type { Clock } from "../../ports/world.ts";

/** Schema of pg-boss's tables, beside that of the ledger. */
const schemaUsual = "leat_queue";

/** Connections of one process: one that listens, one that fetches, one that sends. */
const connectionsMax = 3;

/** How often the queue is looked at although nothing was told, ms: a notification may be lost with its connection. */
const pollMs = 2000;

/** How long a hint that was taken may be under way, s; it is deleted as it is taken, so this is for a process that dies. */
const expireSeconds = 60;

/** How long a hint may wait to be taken, s: as long as a run may sleep in the queue. */
const retentionSeconds = 365 * 24 * 3600;

/** What hints say: the run. */
type HintData = { runId: string };

/**
 * Opens a dispatcher; the tables of the queue are made when they are not there.
 *
 * @throws LeatError `DEPENDENCY_MISSING`, `LEDGER_UNAVAILABLE`.
 */
export async function openPgBossDispatcher(
  options: Readonly<{ connectionString: string; clock: Clock; schema?: string }>,
): Promise<Dispatcher> {
  const schema = options.schema ?? schemaUsual;
  const { PgBoss } = await importPgBoss();
  const boss = new PgBoss({
    connectionString: options.connectionString,
    schema,
    application_name: "leat queue",
    max: connectionsMax,
    schedule: false, // Schedules are the ledger's.
  });
  boss.on("error", () => {}); // Hints are only hints: what could not be done is done again by a sweep.
  try {
    await boss.start();
  } catch (cause) {
    throw new LeatError("LEDGER_UNAVAILABLE", {
      message: `The queue in Postgres cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    });
  }
  const queues = createQueues(boss);
  const channel = `${schema}_runs`;
  const listenings = new Set<Listening>();
  return {
    async send(runs) {
      try {
        await send(boss, queues, channel, runs);
      } catch {
        // The database is away. The runs are in the ledger, and a sweep sends them again.
      }
    },
    async listen(listener) {
      const listening = await listen(boss, queues, channel, listener, options.clock);
      listenings.add(listening);
      return listening;
    },
    async close() {
      for (const listening of listenings) await listening.stop();
      await boss.stop({ graceful: false, close: true });
    },
  };
}

async function importPgBoss(): Promise<typeof import("pg-boss")> {
  try {
    return await import("pg-boss");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "Workers of a ledger at postgres:// need the package pg-boss.",
      hint: "Run: npm install pg-boss pg",
      cause,
    });
  }
}

/** Names of queues by pool, each made before it is used. */
type Queues = (pool: string) => Promise<string>;

function createQueues(boss: PgBoss): Queues {
  const made = new Map<string, Promise<string>>();
  return (pool) => {
    const known = made.get(pool);
    if (known !== undefined) return known;
    const name = `run_${pool}`;
    const making = boss
      .createQueue(name, {
        policy: "short", // One waiting hint of a run; a second one is left out.
        retryLimit: 1,
        expireInSeconds: expireSeconds,
        retentionSeconds,
        deleteAfterSeconds: expireSeconds,
      })
      .then(() => name);
    made.set(pool, making);
    making.catch(() => made.delete(pool)); // Made at the next use.
    return making;
  };
}

async function send(boss: PgBoss, queues: Queues, channel: string, runs: readonly RunHint[]): Promise<void> {
  const byPool = Map.groupBy(runs, (run) => run.pool);
  for (const [pool, hints] of byPool) {
    const jobs = hints.map((hint) => ({
      data: { runId: hint.id } satisfies HintData,
      singletonKey: hint.id,
      priority: hint.priority,
      startAfter: new Date(hint.startAtMs),
    }));
    await boss.insert(await queues(pool), jobs);
  }
  if (runs.length > 0) await boss.getDb().executeSql("select pg_notify($1, '')", [channel]);
}

async function listen(
  boss: PgBoss,
  queues: Queues,
  channel: string,
  listener: Listener,
  clock: Clock,
): Promise<Listening> {
  const stopped = new AbortController();
  let underWay = 0;
  let wake = (): void => {};
  const wakeUp = (): void => wake();
  const handle = await boss.getDb().listen?.(channel, wakeUp, wakeUp);

  const fetchFrom = async (pool: string): Promise<void> => {
    const free = listener.slots - underWay;
    if (free <= 0 || stopped.signal.aborted) return;
    const name = await queues(pool);
    const jobs = await boss.fetch<HintData>(name, { batchSize: free });
    if (jobs.length === 0) return;
    // Before they are delivered: a hint that is lost is sent again, one that stayed would come back for nothing.
    await boss.deleteJob(
      name,
      jobs.map((job) => job.id),
    );
    for (const { data } of jobs) {
      underWay += 1;
      const end = (): void => {
        underWay -= 1;
        wakeUp();
      };
      listener.deliver(toFlowRunId(data.runId)).then(end, end);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      for (const pool of listener.pools) await fetchFrom(pool).catch(() => {}); // The database is away: the next look comes.
      const timer = new AbortController();
      const either = AbortSignal.any([timer.signal, stopped.signal]);
      await Promise.race([woken, clock.sleep(pollMs, either).catch(() => {})]);
      timer.abort();
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopped.abort();
      await ended;
      await handle?.close();
    },
  };
}
