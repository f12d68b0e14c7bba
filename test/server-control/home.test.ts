/** The first page of the console, its tree and its search. */
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { flow } from "../../src/flow/flow.ts";
import { syncFlow } from "../../src/flow/sync-flow.ts";
import { readTicks } from "../../src/flow/ticks.ts";
import { newWorkerId } from "../../src/model/run-ids.ts";
import type { FlowRun, NewRun } from "../../src/model/run-record.ts";
import { defineSource } from "../../src/sources/generator/define-source.ts";
import { newRun } from "../../src/testing/ledger-under-test.ts";
import { type ApiStand, token, withApi } from "./open-api.ts";

const headers = { authorization: `Bearer ${token}` };
const get = async ({ app, checked }: ApiStand, url: string) =>
  checked("GET", url, await app.inject({ url, headers }));

const broken = flow("broken", {}, async () => {
  throw new Error("the partner is away");
});
const shop = defineSource({
  name: "shop",
  streams: { orders: { pages: async function* () {} }, "Items-2": { pages: async function* () {} } },
});
const project = {
  flows: [broken, syncFlow({ schedules: [{ every: "1h" }] })],
  sources: [shop],
  tenants: ["414", "ü 7"],
};

const subRun = (ledger: ApiStand["ledger"], stream: string, tenant: string): NewRun =>
  newRun(ledger, {
    flow: "sync.stream",
    deployment: "sync.stream",
    pool: "nobody",
    params: { stream, tenant, source: "shop" },
    keyLimit: { key: `sync:${stream}:${tenant}`, limit: 1, onConflict: "queue" },
  });

/** A run as a worker has claimed it. */
async function claimed(ledger: ApiStand["ledger"], run: NewRun): Promise<FlowRun> {
  await ledger.submitRun(run);
  const found = await ledger.claimRun(run.id, { workerId: newWorkerId(), codeVersion: null });
  if (found.status !== "claimed") throw new Error("the run could not be claimed");
  return found.run;
}

test("home tells what fails, what comes next and the runs of each day", async () => {
  await withApi(
    async (stand) => {
      await stand.run("broken");
      await stand.run("letters");
      const home = (await get(stand, "/api/home?time_zone=Africa/Johannesburg")).json();
      expect(home).toMatchObject({
        failing: [{ deployment: "broken", error: { message: "the partner is away" } }],
        failing_count: 1,
        running_count: 0,
        has_workers: true,
      });
      expect(home.next_count).toBeGreaterThan(23);
      const next: { at: string; schedule: string }[] = home.next;
      expect(next.map(({ at }) => at)).toEqual(next.map(({ at }) => at).sort());
      // Once a day the daily one fires in the same moment as the hourly one, and either is told first.
      const soonest = next.filter(({ at }) => at === next[0]?.at);
      expect(soonest.map(({ schedule }) => schedule)).toContain("sync");
      // A run belongs to the day in which it was made: midnight may come between the two, and before the answer.
      const { runs } = (await get(stand, "/api/runs")).json();
      const states = (from: string, to: string) => {
        const made = runs.filter(
          (one: { created_at: string }) => from <= one.created_at && one.created_at < to,
        );
        return Object.fromEntries(made.map(({ state }: { state: string }) => [state, 1]));
      };
      expect(home.days).toHaveLength(14);
      for (const day of home.days) expect(day.states).toEqual(states(day.from, day.to));
      expect({ ...home.days[12].states, ...home.days[13].states }).toEqual({ failed: 1, succeeded: 1 });
      expect(new Date(home.days[13].from).getUTCHours()).toBe(22); // Midnight in Johannesburg.
      const unknown = await get(stand, "/api/home?time_zone=Europe/Atlantis");
      expect(unknown.statusCode).toBe(400);
      expect(unknown.json()).toMatchObject({
        code: "USAGE",
        detail: expect.stringContaining("Europe/Atlantis"),
      });
      await stand.app.inject({ method: "POST", url: "/api/schedules/sync/pause", headers });
      const paused = (await get(stand, "/api/home")).json();
      expect([
        paused.paused,
        paused.next.filter((one: { schedule: string }) => one.schedule === "sync"),
      ]).toEqual([["sync"], []]);
    },
    { token, ...project },
  );
});

test("streams are told by one word for each tenant, whatever their names", async () => {
  await withApi(
    async (stand) => {
      const { ledger } = stand;
      const end = async (run: NewRun, isGood: boolean) => {
        const { id, attempt } = await claimed(ledger, run);
        const error = {
          code: null,
          name: "E",
          message: "no",
          hint: null,
          retryable: false,
          details: {},
          stack: null,
        };
        const move = isGood
          ? ({ move: "succeed", result: null } as const)
          : ({ move: "fail", error } as const);
        await ledger.endAttempt({ runId: id, attempt }, move);
      };
      await end(subRun(ledger, "shop.orders", "414"), true);
      await end(subRun(ledger, "shop.orders", "ü 7"), false);
      await claimed(ledger, subRun(ledger, "shop.Items-2", "414"));
      const tree = (await get(stand, "/api/tree")).json();
      expect(tree.statuses).toMatchObject({ on_time: 1, on_track: 1, syncing: 1, never: 1, late: 0 });
      const [source] = tree.sources;
      const words = source.tenants.map(
        (one: { tenant: string; streams: { name: string; status: string }[] }) => [
          one.tenant,
          Object.fromEntries(one.streams.map(({ name, status }) => [name, status])),
        ],
      );
      expect(words).toEqual([
        ["414", { orders: "on_time", "Items-2": "syncing" }],
        ["ü 7", { orders: "on_track", "Items-2": "never" }],
      ]);
      const one = (await get(stand, `/api/tree?tenant=${encodeURIComponent("ü 7")}`)).json();
      expect(one.sources[0].tenants).toHaveLength(1);
      const found = (await get(stand, `/api/search?q=${encodeURIComponent("ITEMS")}`)).json();
      expect(found.finds).toEqual([{ kind: "stream", name: "Items-2", about: "", of: "shop" }]);
      const names = (await get(stand, "/api/search?q=s"))
        .json()
        .finds.map((one: { name: string }) => one.name);
      expect(names.slice(0, 3).sort()).toEqual(["shop", "sync", "sync"]);
      expect((await get(stand, "/api/search?q=zzz")).json().finds).toEqual([]);
    },
    { token, ...project },
  );
});

test("a stream that was to be read hours ago, and was not, is late", async () => {
  await withApi(
    async (stand) => {
      const run = await claimed(stand.ledger, subRun(stand.ledger, "shop.orders", "414"));
      await stand.ledger.endAttempt(
        { runId: run.id, attempt: run.attempt },
        { move: "succeed", result: null },
      );
      using database = new DatabaseSync(stand.ledgerPath);
      database.exec(
        `update run set created_at = created_at - 9000000, ended_at = ended_at - 9000000 where id = '${run.id}'`,
      );
      const home = (await get(stand, "/api/home")).json();
      expect(home).toMatchObject({
        late_count: 1,
        late: [{ stream: "shop.orders", tenant: "414", status: "late" }],
      });
      expect(Date.parse(home.late[0].late_at)).toBeLessThan(Date.now());
    },
    { token, ...project },
  );
});

test("a stream is late an hour after the first tick that comes after its newest good run, also where ticks are seconds apart", async () => {
  const schedule = { every: "7s", from: "2026-01-01T00:00:00Z" } as const;
  await withApi(
    async (stand) => {
      for (let at = 0; at < 10; at += 1) {
        const run = await claimed(stand.ledger, subRun(stand.ledger, "shop.orders", "414"));
        const { id: runId, attempt } = run;
        await stand.ledger.endAttempt({ runId, attempt }, { move: "succeed", result: null });
        using database = new DatabaseSync(stand.ledgerPath);
        // Instants all over a minute, hours ago.
        const endedAtMs = Math.floor(Date.now() / 60_000) * 60_000 - 9_000_000 + at * 6_100;
        database.exec(
          `update run set created_at = ${endedAtMs}, ended_at = ${endedAtMs} where id = '${run.id}'`,
        );
        const { late } = (await get(stand, "/api/home")).json();
        const tickMs = readTicks({
          kind: "interval",
          everyMs: 7_000,
          anchorMs: Date.parse(schedule.from),
        }).next(endedAtMs);
        expect(Date.parse(late[0].late_at), `at ${at}`).toBe((tickMs ?? 0) + 3_600_000);
      }
    },
    { token, ...project, flows: [syncFlow({ schedules: [schedule] })] },
  );
});

test("home with 10,000 runs, as many of parts and 4,000 streams of tenants is told within a second", {
  timeout: 30_000,
}, async () => {
  await withApi(
    async (stand) => {
      const id = await stand.run("letters");
      using database = new DatabaseSync(stand.ledgerPath);
      const columns = database
        .prepare(
          "select name from pragma_table_info('run') where name not in ('id', 'created_at', 'limit_key', 'parent_id', 'idempotency_key')",
        )
        .all()
        .map(({ name }) => name)
        .join();
      database.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
        insert into run (id, created_at, limit_key, parent_id, ${columns})
        select printf('%08x-0000-0000-0000-000000000000', i), created_at - i * 60000,
          case when i % 2 = 0 then 'sync:shop.orders:' || (i % 500) end, case when i % 2 = 0 then '${id}' end, ${columns}
        from n join run on run.id = '${id}'`);
      const beganAtMs = performance.now();
      const home = (await get(stand, "/api/home")).json();
      expect(performance.now() - beganAtMs).toBeLessThan(1000);
      const told = home.days.flatMap(({ states }: { states: Record<string, number> }) =>
        Object.values(states),
      );
      expect(told.reduce((sum: number, one: number) => sum + one, 0)).toBeGreaterThan(9000);
    },
    { token, ...project, tenants: Array.from({ length: 2000 }, (_, n) => String(n)) },
  );
});
