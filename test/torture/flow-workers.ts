/**
 * `node test/torture/flow-workers.ts [RUNS] [SECONDS]`: three workers on Postgres, one of them killed every few seconds,
 * while runs with limits by key and tasks with a limit by name are done. What is true of it is asked of the ledger.
 */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { openFlowStand, type StandPlace } from "../flow/flow-stand.ts";
import { startWorkerProcess, type WorkerProcess } from "../flow/start-worker-process.ts";
import { startPostgres } from "../services/postgres.ts";
import { judgeMoment, judgeRuns } from "./judge-limits.ts";

const runsMax = Number(process.argv[2] ?? 2000);
const seconds = Number(process.argv[3] ?? 120);
const workerCount = 3;

/** Pause between two kills, and between two looks at who holds what, ms. */
const killEveryMs = 4000;
const lookEveryMs = 50;

/** Keys, so that several runs want each. */
const keyCount = 25;

/** How long what is left may take when nobody is killed any more, ms. */
const restMsMax = 180_000;

const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
const server = await startPostgres();
const url = await server.newDatabase();
const place: StandPlace = { ledger: { kind: "postgres", url }, dispatcher: { kind: "pg-boss", url } };
const client = new pg.Client({ connectionString: url, options: "-c search_path=leat" });
const faults: string[] = [];
const workers: WorkerProcess[] = [];
try {
  await using stand = await openFlowStand(place);
  await client.connect();
  const start = (): WorkerProcess => startWorkerProcess({ place, isApart: true, slots: 3 });
  for (let n = 0; n < workerCount; n++) workers.push(start());
  await Promise.all(workers.map(({ ready }) => ready));

  const startedMs = Date.now();
  const untilMs = startedMs + seconds * 1000;
  const countLeft = async (): Promise<number> =>
    Number(
      (
        await client.query(
          "select count(*) as n from run where state in ('queued', 'running', 'waiting', 'cancelling')",
        )
      ).rows[0].n,
    );
  const submitting = (async () => {
    for (let n = 0; n < runsMax; n++) {
      await stand.submit("crowded", { key: `key ${n % keyCount}`, n });
      // Spread over two thirds of the time, so that there is a queue, and kills meet all of it.
      const dueMs = startedMs + ((n + 1) / runsMax) * seconds * 667;
      if (dueMs > Date.now()) await wait(dueMs - Date.now());
    }
  })();
  let isOver = false;
  let looks = 0;
  const looking = (async () => {
    for (; !isOver; looks++) {
      faults.push(...(await judgeMoment(client)));
      await wait(lookEveryMs);
    }
  })();
  let kills = 0;
  while (Date.now() < untilMs) {
    await wait(killEveryMs * (0.5 + Math.random()));
    const index = Math.floor(Math.random() * workerCount);
    workers[index]!.child.kill("SIGKILL");
    await workers[index]!.exited;
    workers[index] = start();
    kills += 1;
    if (kills % 5 === 0) say(`${kills} killed, ${await countLeft()} runs left`);
  }
  await submitting;
  say(`nobody is killed any more; ${await countLeft()} runs left`);
  for (const deadline = Date.now() + restMsMax; (await countLeft()) > 0 && Date.now() < deadline; )
    await wait(200);
  const tookMs = Date.now() - startedMs;
  isOver = true;
  await looking;
  faults.push(...(await judgeRuns(client, runsMax)));
  const { rows } = await client.query("select sum(lost_count) as lost, max(attempt) as attempts from run");
  say(
    `${runsMax} runs in ${Math.round(tookMs / 1000)} s, ${kills} workers killed, ${rows[0].lost} attempts lost, at most ${rows[0].attempts} of one run, ${looks} looks`,
  );
} finally {
  for (const { child, exited } of workers) {
    child.kill("SIGKILL");
    await exited;
  }
  await client.end();
  await server.stop();
}
for (const fault of faults.slice(0, 50)) say(`FAULT ${fault}`);
say(faults.length === 0 ? "no faults" : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
