/** What must be true of limits and ends, asked of a ledger in Postgres. */
import type pg from "pg";

/** Clocks of processes that follow the server's differ by some ms; the ledger's own order is in its locks. */
const skewMs = 10;

/** Tasks of the one limit at once. */
const tasksMax = 4;

/** More holders of a key, or running tasks of a limit, than allowed, at this moment. */
export async function judgeMoment(client: pg.Client): Promise<readonly string[]> {
  const keys = await client.query<{ limit_key: string; held: string; most: number }>(
    `select limit_key, count(*) as held, min(limit_count) as most from run
     where holds_key = 1 group by limit_key having count(*) > min(limit_count)`,
  );
  const tasks = await client.query<{ limit_name: string; running: string }>(
    `select limit_name, count(*) as running from task join run on run.id = task.run_id
     where task.state = 'running' and run.state in ('running', 'cancelling') and run.attempt = task.attempt
       and limit_name is not null
     group by limit_name having count(*) > $1`,
    [tasksMax],
  );
  return [
    ...keys.rows.map((row) => `${row.held} runs hold "${row.limit_key}", whose limit is ${row.most}`),
    ...tasks.rows.map((row) => `${row.running} tasks of "${row.limit_name}" run, whose limit is ${tasksMax}`),
  ];
}

/** Runs that did not end well or ended twice, keys held by too many over their whole time, slots that nobody gave back. */
export async function judgeRuns(client: pg.Client, runsMax: number): Promise<readonly string[]> {
  const count = async (what: string, sql: string, expected: number): Promise<readonly string[]> => {
    const { rows } = await client.query<{ n: string }>(sql);
    const found = Number(rows[0]?.n);
    return found === expected ? [] : [`${what}: ${found}, not ${expected}`];
  };
  const overlaps = await client.query<{ limit_key: string; others: string }>(
    `select a.limit_key, count(*) as others from run a join run b
       on b.limit_key = a.limit_key and b.id <> a.id
      and b.started_at <= a.started_at and b.ended_at > a.started_at + $1
     group by a.id, a.limit_key, a.limit_count having count(*) >= a.limit_count`,
    [skewMs],
  );
  return [
    ...(await count(
      "runs that succeeded",
      "select count(*) as n from run where state = 'succeeded'",
      runsMax,
    )),
    ...(await count(
      "events of their ends",
      "select count(*) as n from event where kind = 'run.succeeded'",
      runsMax,
    )),
    ...(await count(
      "runs that are told of",
      "select count(distinct run_id) as n from event where kind = 'run.succeeded'",
      runsMax,
    )),
    ...(await count(
      "ends of attempts",
      "select count(*) as n from attempt where end_move = 'succeed'",
      runsMax,
    )),
    ...(await count(
      "attempts without an end",
      "select count(*) as n from attempt where ended_at is null",
      0,
    )),
    ...(await count("finished tasks", "select count(*) as n from task where state = 'succeeded'", runsMax)),
    ...(await count("keys that are still held", "select count(*) as n from run where holds_key = 1", 0)),
    ...(await count("tasks that still run", "select count(*) as n from task where state = 'running'", 0)),
    ...overlaps.rows.map(
      (row) => `"${row.limit_key}" was held by ${row.others} others when one more took it`,
    ),
  ];
}
