/** Schedules over both ledgers, on a clock that the test moves: each tick once, whatever the clock and others do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { backfill } from "../../src/flow/backfill.ts";
import { createFlowRegistry, toRecords } from "../../src/flow/deployment.ts";
import { flow } from "../../src/flow/flow.ts";
import { fireDue } from "../../src/flow/scheduler.ts";
import type { CatchUp } from "../../src/model/run-schedule.ts";
import type { Dispatcher } from "../../src/ports/dispatcher.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { LedgerUnderTest } from "../../src/testing/ledger-under-test.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { openPostgresUnderTest, openSqliteUnderTest } from "./open-ledgers.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Nobody listens. */
const dispatcher: Dispatcher = {
  send: async () => {},
  listen: async () => ({ stop: async () => {} }),
  close: async () => {},
};

/** A flow that runs each hour. */
const hourly = (catchUp: CatchUp, day = "default") =>
  createFlowRegistry([
    flow(
      "hourly",
      {
        params: z.object({ day: z.string().default("today") }),
        schedules: [{ cron: "0 * * * *", catchUp, params: { day }, lateAfter: "10m" }],
      },
      async () => {},
    ),
  ]);

describe.each(["SQLite", "Postgres"])("schedules in %s", (kind) => {
  let server: PostgresServer;
  beforeAll(async () => {
    if (kind === "Postgres") server = await startPostgres();
  });
  afterAll(() => server?.stop());

  const check = (name: string, run: (place: LedgerUnderTest) => Promise<void>): void => {
    test(name, async () => {
      const place = await (kind === "SQLite"
        ? openSqliteUnderTest()
        : openPostgresUnderTest(await server.newDatabase()));
      try {
        await run(place);
      } finally {
        await place.dispose();
      }
    });
  };
  /** Saves the schedule at midnight, when the clock of the test begins. */
  const save = async (ledger: Ledger, registry = hourly("last")) => {
    const records = toRecords(registry, { codeVersion: null, nowMs: ledger.nowMs() });
    await ledger.saveDeployments(records.deployments, records.schedules);
    return registry;
  };
  const look = async (ledger: Ledger, registry = hourly("last")) =>
    (await fireDue({ ledger, dispatcher, registry }, new Map())).runs;
  const ticks = async (ledger: Ledger) =>
    (await ledger.listRuns({ limit: 1000 }))
      .map(({ scheduledAtMs }) => new Date(scheduledAtMs ?? 0).toISOString().slice(11, 16))
      .sort();

  check("a tick has its run when its time has come, with its parameters", async ({ ledger, advance }) => {
    const registry = await save(ledger, hourly("last", "monday"));
    advance(hour - 1);
    expect(await look(ledger, registry)).toEqual([]);
    advance(1);
    expect((await look(ledger, registry)).map(({ outcome }) => outcome)).toEqual(["created"]);
    expect(await look(ledger, registry)).toEqual([]);
    const [run] = await ledger.listRuns({});
    expect(run).toMatchObject({
      deployment: "hourly",
      params: { day: "monday" },
      scheduledAtMs: ledger.nowMs(),
      lateAtMs: ledger.nowMs() + 10 * minute,
      cause: { kind: "schedule", schedule: "hourly" },
    });
  });

  check(
    "of missed ticks none, the last or each is made up for, as the schedule says",
    async ({ ledger, advance }) => {
      const made: Record<string, readonly string[]> = {};
      const before = new Set<string>();
      for (const catchUp of ["skip", "last", "all"] as const) {
        const registry = await save(ledger, hourly(catchUp));
        await ledger.setPaused("hourly", true);
        await ledger.setPaused("hourly", false); // Its cursor is now.
        advance(3 * hour + 30 * minute);
        await look(ledger, registry);
        await look(ledger, registry);
        const runs = (await ledger.listRuns({ limit: 1000 })).filter(({ id }) => !before.has(id));
        made[catchUp] = runs
          .map((run) => new Date(run.scheduledAtMs ?? 0).toISOString().slice(11, 16))
          .sort();
        for (const { id } of runs) before.add(id);
        advance(20.5 * hour); // Midnight again.
      }
      expect(made).toEqual({ skip: [], last: ["03:00"], all: ["01:00", "02:00", "03:00"] });
    },
  );

  check(
    "more missed ticks than one look makes runs of are made up for by the next",
    async ({ ledger, advance }) => {
      const registry = await save(ledger, hourly("all"));
      advance(250 * hour);
      const counts: number[] = [];
      for (let looks = 0; looks < 4; looks++) counts.push((await look(ledger, registry)).length);
      expect(counts).toEqual([100, 100, 50, 0]);
    },
  );

  check(
    "F11 schedulers that look at the same time make each tick's run once",
    async ({ ledger, reopen, advance }) => {
      const ledgers = [ledger, await reopen(), await reopen()];
      const registry = await save(ledger, hourly("all"));
      for (let n = 0; n < 5; n++) {
        advance(hour);
        await Promise.all(ledgers.map((one) => look(one, registry)));
      }
      await look(ledger, registry);
      expect(await ticks(ledger)).toEqual(["01:00", "02:00", "03:00", "04:00", "05:00"]);
    },
  );

  check("a clock that is set back makes no tick again, one that jumps far back is told of", async (place) => {
    const { ledger, advance } = place;
    const registry = await save(ledger, hourly("all"));
    advance(2 * hour);
    await look(ledger, registry);
    advance(-5 * minute);
    expect(await look(ledger, registry)).toEqual([]);
    advance(-hour);
    await look(ledger, registry);
    const told = await ledger.listEvents({ kinds: ["clock.jumped"] });
    expect(told.map(({ subject }) => subject)).toEqual(["hourly"]);
    advance(hour + 5 * minute);
    // It comes to the same ticks once more, and finds their runs.
    expect((await look(ledger, registry)).map(({ outcome }) => outcome)).toEqual(["exists", "exists"]);
    expect(await ticks(ledger)).toEqual(["01:00", "02:00"]);
  });

  check(
    "a paused schedule makes no runs, and none of that time when it is resumed",
    async ({ ledger, advance }) => {
      const registry = await save(ledger, hourly("all"));
      await ledger.setPaused("hourly", true);
      advance(3 * hour);
      expect(await look(ledger, registry)).toEqual([]);
      await ledger.setPaused("hourly", false);
      expect(await look(ledger, registry)).toEqual([]);
      advance(hour);
      await look(ledger, registry);
      expect(await ticks(ledger)).toEqual(["04:00"]);
    },
  );

  check(
    "a backfill makes the runs that are missing in its span, and all of them where it is told to",
    async (place) => {
      const { ledger, advance } = place;
      const registry = await save(ledger);
      advance(5 * hour + minute);
      await look(ledger, registry); // The last of them only.
      const [schedule] = await ledger.listSchedules();
      const fill = (isAgain: boolean) =>
        backfill({ ledger, dispatcher }, registry.deployment("hourly"), schedule!, {
          fromMs: Date.UTC(2026, 0, 1, 3),
          untilMs: Date.UTC(2026, 0, 1, 9), // Some of it is to come.
          by: "ada",
          isAgain,
        });
      expect((await fill(false)).map(({ outcome }) => outcome)).toEqual(["created", "created", "exists"]);
      expect((await fill(false)).map(({ outcome }) => outcome)).toEqual(["exists", "exists", "exists"]);
      expect((await fill(true)).map(({ outcome }) => outcome)).toEqual(["created", "created", "created"]);
      expect(await ticks(ledger)).toEqual(["03:00", "03:00", "04:00", "04:00", "05:00", "05:00"]);
      const causes = (await ledger.listRuns({})).map(({ cause }) => cause.kind);
      expect(causes.filter((kind) => kind === "backfill")).toHaveLength(5);
    },
  );

  check("a backfill of more ticks than its bound makes none", async ({ ledger, advance }) => {
    const registry = await save(ledger);
    advance(11_000 * hour);
    const [schedule] = await ledger.listSchedules();
    const span = { fromMs: 0, untilMs: ledger.nowMs(), by: "ada", isAgain: false };
    await expect(
      backfill({ ledger, dispatcher }, registry.deployment("hourly"), schedule!, span),
    ).rejects.toMatchObject({ code: "SCHEDULE_BOUND" });
    expect(await ledger.listRuns({})).toEqual([]);
  });
});
