/** What every ledger keeps of tasks, logs, artifacts, schedules and workers. */
import assert from "node:assert/strict";
import type { NewLogLine } from "../model/run-record.ts";
import type { DeploymentRecord, ScheduleSpec } from "../model/run-schedule.ts";
import type { TaskOpening } from "../ports/ledger.ts";
import {
  addWorker,
  claim,
  type DefineLedgerTest,
  failure,
  fenceOf,
  newRun,
  opening,
  startRun,
  succeeded,
} from "./ledger-under-test.ts";

const line = (seq: number, message = `line ${seq}`): NewLogLine => ({
  seq,
  atMs: seq,
  level: seq % 2 === 0 ? "info" : "warn",
  taskKey: seq % 3 === 0 ? "make::1" : null,
  message,
  data: seq % 2 === 0 ? { seq } : null,
});

const schedule = (id: string, facts: Partial<ScheduleSpec> = {}): ScheduleSpec => ({
  id,
  deployment: "nightly",
  ticks: { kind: "cron", cron: "0 6 * * *", timezone: "UTC" },
  catchUp: "last",
  params: {},
  lateAfterMs: null,
  ...facts,
});

const nightly: DeploymentRecord = {
  name: "nightly",
  flow: "nightly",
  description: "",
  pool: "default",
  params: {},
  paramsSchema: {},
  codeVersion: "1",
  about: {},
  savedAtMs: 0,
};

/** Defines the tests of what runs are made of. */
export function ledgerTaskContract(check: DefineLedgerTest): void {
  check("of tasks that say what they have made the newest is told of each", async ({ ledger, advance }) => {
    const sinceMs = ledger.nowMs();
    const make = async (key: string, labels: Partial<TaskOpening>): Promise<string> => {
      advance(10);
      const { run, fence } = await startRun(ledger);
      await ledger.openTask(fence, opening(key, labels));
      await ledger.changeTask(fence, key, succeeded("1"));
      return run.id;
    };
    const orders = { consumes: ["source:shop"], produces: ["stream:shop.orders"] };
    await make("extract::1", orders);
    const newest = await make("extract::1", orders);
    const table = await make("load::1", {
      consumes: ["stream:shop.orders"],
      produces: ["table:shop.orders"],
    });
    await make("noop::1", {});
    const { fence } = await startRun(ledger);
    await ledger.openTask(fence, opening("failed::1", { produces: ["dataset:d"] }));
    await ledger.changeTask(fence, "failed::1", { move: "fail", error: failure("no") });
    const made = await ledger.listMakers(sinceMs);
    assert.deepEqual(
      made.map(({ runId, task, produces, consumes }) => [runId, task, produces, consumes]),
      [
        [table, "load", ["table:shop.orders"], ["stream:shop.orders"]],
        [newest, "extract", ["stream:shop.orders"], ["source:shop"]],
      ],
    );
    assert.deepEqual(await ledger.listMakers(ledger.nowMs() + 1), []);
  });

  check("a task's result comes back as it was given, whatever it is", async ({ ledger, reopen }) => {
    const { run, fence } = await startRun(ledger);
    const results = [
      null,
      { json: '{"a":"\\u0000ä","n":-1.5e300}' },
      { ref: "flow-results/x.json", bytes: 9e12 },
    ];
    for (const [index, result] of results.entries()) {
      await ledger.openTask(fence, opening(`make:${index}:1`, { ordinal: index, input: `n ${index}` }));
      const change = { move: "succeed", result, isCached: false, cache: null } as const;
      assert.equal(await ledger.changeTask(fence, `make:${index}:1`, change), "changed");
      assert.equal(await ledger.changeTask(fence, `make:${index}:1`, change), "changed");
    }
    const tasks = await (await reopen()).readTasks(run.id);
    assert.deepEqual(
      tasks.map(({ result }) => result),
      results,
    );
    assert.deepEqual(
      tasks.map(({ input, tryCount, state }) => [input, tryCount, state]),
      [
        ["n 0", 1, "succeeded"],
        ["n 1", 1, "succeeded"],
        ["n 2", 1, "succeeded"],
      ],
    );
  });

  check("a task that has succeeded is not opened again", async ({ ledger }) => {
    const { fence } = await startRun(ledger);
    await ledger.openTask(fence, opening("make::1"));
    await ledger.changeTask(fence, "make::1", succeeded("1"));
    await assert.rejects(ledger.openTask(fence, opening("make::1")), /not in a state/);
    await assert.rejects(
      ledger.changeTask(fence, "make::1", { move: "fail", error: failure("late") }),
      /not in a state/,
    );
  });

  check("tries are counted, and a failure is kept with its next time", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    for (const round of [1, 2]) {
      await ledger.openTask(fence, opening("make::1"));
      const change = { move: "retry", error: failure(`try ${round}`), retryAtMs: 77 } as const;
      await ledger.changeTask(fence, "make::1", change);
      advance(1);
    }
    const [task] = await ledger.readTasks(run.id);
    assert.deepEqual(
      [task?.state, task?.tryCount, task?.retryAtMs, task?.error],
      ["retrying", 2, 77, failure("try 2")],
    );
  });

  check(
    "F9 no more tasks of a limit run than it says, however many ask at once",
    async ({ ledger, reopen }) => {
      const ledgers = [ledger, await reopen()];
      const runs = await Promise.all([1, 2, 3].map(() => startRun(ledger)));
      const limit = { name: "partner", concurrency: 4 };
      const ask = (n: number) =>
        ledgers[n % 2]!.openTask(runs[n % 3]!.fence, opening(`call:${n}:1`, { limit, ordinal: n }));
      const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(n)));
      assert.equal(answers.filter((answer) => answer === "opened").length, 4);
      assert.equal(answers.filter((answer) => answer === "limited").length, 8);
      const opened = answers.indexOf("opened");
      const waiting = answers.indexOf("limited");
      assert.equal(await ask(waiting), "limited");
      assert.equal(await ask(opened), "opened", "a task that has its slot keeps it");
      await ledger.changeTask(runs[opened % 3]!.fence, `call:${opened}:1`, succeeded("1"));
      assert.equal(await ask(waiting), "opened");
    },
  );

  check(
    "F9 the slots of a run that is over, was lost or waits for a retry are free",
    async ({ ledger, advance }) => {
      const limit = { name: "partner", concurrency: 1 };
      const take = async () => {
        const started = await startRun(ledger);
        assert.equal(await ledger.openTask(started.fence, opening("call::1", { limit })), "opened");
        return started;
      };
      const over = await take();
      await ledger.endAttempt(over.fence, { move: "fail", error: failure("no") });
      const lost = await take();
      advance(60_000);
      await ledger.sweepLost(() => undefined);
      const retrying = await take();
      assert.equal(
        await ledger.openTask(
          fenceOf(await claim(ledger, lost.run, await addWorker(ledger))),
          opening("call::1", { limit }),
        ),
        "limited",
        "one that has lost its worker has lost its slot",
      );
      const end = { move: "retry", error: failure("no"), startAtMs: 0 } as const;
      await ledger.endAttempt(retrying.fence, end);
      await take();
    },
  );

  check("a cached result is found until it expires, the newest", async ({ ledger, advance }) => {
    const { fence } = await startRun(ledger);
    for (const json of ["1", "2"]) {
      await ledger.openTask(fence, opening(`make:${json}:1`));
      const cache = { key: "make", expiresAtMs: ledger.nowMs() + 100 };
      await ledger.changeTask(fence, `make:${json}:1`, { ...succeeded(json), cache });
    }
    assert.deepEqual(await ledger.readCached("make"), { result: { json: "2" } });
    assert.equal(await ledger.readCached("other"), undefined);
    advance(100);
    assert.equal(await ledger.readCached("make"), undefined);
  });

  check("F15 lines are in the order they were written, each once", async ({ ledger }) => {
    const { run, fence } = await startRun(ledger);
    const lines = Array.from({ length: 1200 }, (_, index) => line(index + 1));
    assert.equal(await ledger.appendLogs(fence, "flow", lines.slice(0, 700)), "written");
    assert.equal(await ledger.appendLogs(fence, "flow", lines.slice(500)), "written");
    await ledger.appendLogs(fence, "watch", [line(1, "from outside")]);
    const read = await ledger.readLogs(run.id, { limit: 5000 });
    assert.deepEqual(
      read.map(({ message }) => message),
      [...lines.map(({ message }) => message), "from outside"],
    );
    const half = read[599]!;
    assert.deepEqual(await ledger.readLogs(run.id, { afterId: half.id, limit: 5000 }), read.slice(600));
    const warnings = await ledger.readLogs(run.id, { levels: ["warn"], taskKey: "make::1", limit: 5000 });
    assert.equal(warnings.length, 200);
    assert.deepEqual([read[1]?.data, read[0]?.data], [{ seq: 2 }, null]);
    assert.deepEqual(await ledger.readLogs(run.id, { attempt: 2 }), []);
  });

  check("a long log is measured and searched without being read", async ({ ledger }) => {
    const { run, fence } = await startRun(ledger);
    const lines = Array.from({ length: 25 }, (_, index) => line(index + 1));
    await ledger.appendLogs(fence, "flow", [...lines, line(26, "100% of A_b\\c"), line(27, "100 of Axb")]);
    const all = await ledger.readLogs(run.id, {});
    const told = { count: 27, lastId: all[26]!.id };
    assert.deepEqual(await ledger.markLogs(run.id, {}, { every: 10, lineId: undefined }), {
      ...told,
      marks: [all[0]!.id, all[10]!.id, all[20]!.id],
      before: null,
    });
    assert.deepEqual(await ledger.markLogs(run.id, {}, { every: 10, lineId: all[12]!.id }), {
      ...told,
      marks: [],
      before: 12,
    });
    const warnings = all.filter(({ level }) => level === "warn");
    assert.deepEqual(await ledger.markLogs(run.id, { levels: ["warn"] }, { every: 3, lineId: undefined }), {
      count: warnings.length,
      lastId: warnings.at(-1)?.id,
      marks: warnings.filter((_, index) => index % 3 === 0).map(({ id }) => id),
      before: null,
    });
    const find = (text: string) => ledger.findLogs(run.id, {}, { text, limit: 100, signal: undefined });
    assert.deepEqual(await find("100% OF a_b\\"), [{ id: all[25]!.id, place: 25 }]);
    assert.deepEqual((await find('"seq":2')).map(({ place }) => place).includes(1), true);
    assert.deepEqual(
      await ledger.findLogs(run.id, { attempt: 9 }, { text: "1", limit: 5, signal: undefined }),
      [],
    );
    assert.equal((await ledger.findLogs(run.id, {}, { text: "1", limit: 5, signal: undefined })).length, 5);
    const late = { text: "1", limit: 5, signal: AbortSignal.abort() };
    assert.deepEqual(await ledger.findLogs(run.id, {}, late), []);
  });

  check("a watching process may add lines after the end, and not after a new attempt", async ({ ledger }) => {
    const { run, fence } = await startRun(ledger);
    await ledger.endAttempt(fence, { move: "fail", error: failure("no") });
    assert.equal(await ledger.appendLogs(fence, "flow", [line(1)]), "fenced");
    assert.equal(await ledger.appendLogs(fence, "watch", [line(1)]), "written");
    await ledger.retryRun(run.id, {});
    await claim(ledger, run, await addWorker(ledger));
    assert.equal(await ledger.appendLogs(fence, "watch", [line(2)]), "fenced");
  });

  check("text with any character is kept or mended, and never refused", async ({ ledger }) => {
    const { run, fence } = await startRun(ledger);
    const odd = "nul \u0000, half \ud83d, ok \ud83d\ude00";
    await ledger.openTask(fence, opening("make::1", { input: odd }));
    await ledger.appendLogs(fence, "flow", [{ ...line(2), message: odd, data: { odd } }]);
    await ledger.changeTask(fence, "make::1", { move: "fail", error: failure(odd) });
    await ledger.cancelRun(run.id, odd);
    const [written] = await ledger.readLogs(run.id, {});
    assert.equal(written?.message, "nul \ufffd, half \ufffd, ok \ud83d\ude00");
    assert.equal((await ledger.readRun(run.id))?.cancelReason, written?.message);
  });

  check("a second artifact of a name replaces the first", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    const artifact = { name: "rows", kind: "table", taskKey: null, data: [{ a: 1 }] } as const;
    await ledger.saveArtifact(fence, artifact);
    advance(5);
    await ledger.saveArtifact(fence, { ...artifact, kind: "progress", data: { done: 1, total: 2 } });
    const [only, ...others] = await ledger.listArtifacts(run.id);
    assert.deepEqual([only?.kind, only?.data, others], ["progress", { done: 1, total: 2 }, []]);
  });

  check("deployments are those that were saved last", async ({ ledger }) => {
    await ledger.saveDeployments([nightly, { ...nightly, name: "weekly" }], []);
    await ledger.saveDeployments([{ ...nightly, pool: "big", about: { triggers: [] } }], []);
    const deployments = await ledger.listDeployments();
    assert.deepEqual(
      deployments.map(({ name, pool, about }) => [name, pool, about]),
      [["nightly", "big", { triggers: [] }]],
    );
  });

  check("a schedule keeps its cursor and its pause until its ticks change", async ({ ledger, advance }) => {
    await ledger.saveDeployments([nightly], [schedule("a"), schedule("b")]);
    const bornMs = ledger.nowMs();
    advance(1000);
    await ledger.fireSchedule("a", { fromMs: bornMs, toMs: bornMs + 500 }, []);
    assert.equal(await ledger.setPaused("b", true), "changed");
    assert.equal(await ledger.setPaused("c", true), "unknown");
    const changed = schedule("a", { ticks: { kind: "interval", everyMs: 60_000, anchorMs: 0 } });
    await ledger.saveDeployments([nightly], [schedule("a", { catchUp: "all" }), schedule("b")]);
    assert.deepEqual(
      (await ledger.listSchedules()).map(({ id, cursorMs, isPaused, catchUp }) => [
        id,
        cursorMs - bornMs,
        isPaused,
        catchUp,
      ]),
      [
        ["a", 500, false, "all"],
        ["b", 0, true, "last"],
      ],
    );
    await ledger.saveDeployments([nightly], [changed]);
    assert.deepEqual(
      (await ledger.listSchedules()).map(({ id, cursorMs, ticks }) => [id, cursorMs - bornMs, ticks]),
      [["a", 1000, changed.ticks]],
    );
  });

  check("F11 a tick makes one run, however many schedulers fire it at once", async ({ ledger, reopen }) => {
    const ledgers = [ledger, await reopen(), await reopen()];
    await ledger.saveDeployments([nightly], [schedule("a")]);
    const fromMs = (await ledger.listSchedules())[0]!.cursorMs;
    const facts = { idempotencyKey: "schedule:a:tick", scheduledAtMs: fromMs + 5 };
    const fired = await Promise.all(
      Array.from({ length: 9 }, (_, n) =>
        ledgers[n % 3]!.fireSchedule("a", { fromMs, toMs: fromMs + 5 }, [newRun(ledger, facts)]),
      ),
    );
    assert.equal(fired.filter((one) => one !== "moved").length, 1);
    assert.equal((await ledger.listRuns({})).length, 1);
    // One that looks from an older place, after the clock was set back, finds the tick's run and makes no other.
    await ledger.fireSchedule("a", { fromMs: fromMs + 5, toMs: fromMs }, []);
    const again = await ledger.fireSchedule("a", { fromMs, toMs: fromMs + 5 }, [newRun(ledger, facts)]);
    assert.deepEqual(again === "moved" ? again : again.map(({ outcome }) => outcome), ["exists"]);
    assert.equal((await ledger.listRuns({})).length, 1);
  });

  check(
    "a paused schedule does not fire, and goes on from the moment it is resumed",
    async ({ ledger, advance }) => {
      await ledger.saveDeployments([nightly], [schedule("a")]);
      const fromMs = (await ledger.listSchedules())[0]!.cursorMs;
      await ledger.setPaused("a", true);
      advance(1000);
      assert.equal(await ledger.fireSchedule("a", { fromMs, toMs: fromMs + 5 }, [newRun(ledger)]), "moved");
      assert.equal((await ledger.listRuns({})).length, 0);
      await ledger.setPaused("a", false);
      assert.equal((await ledger.listSchedules())[0]?.cursorMs, fromMs + 1000);
    },
  );

  check("a lease is one holder's until its time is over", async ({ ledger, reopen, advance }) => {
    const [one, two] = [await addWorker(ledger), await addWorker(ledger)];
    const other = await reopen();
    assert.equal(await ledger.takeLease("reactor", one, 100), true);
    assert.equal(await other.takeLease("reactor", two, 100), false);
    assert.equal(await ledger.takeLease("reactor", one, 100), true);
    advance(100);
    assert.equal(await other.takeLease("reactor", two, 100), true);
    assert.equal(await ledger.takeLease("reactor", one, 100), false);
  });

  check(
    "runs are found by what people know of them, newest first, page by page",
    async ({ ledger, advance }) => {
      const runs = [];
      for (let n = 0; n < 7; n++) {
        runs.push((await ledger.submitRun(newRun(ledger, { deployment: n % 2 === 0 ? "even" : "odd" }))).run);
        if (n !== 3) advance(1); // Two of the same millisecond.
      }
      await ledger.cancelRun(runs[0]!.id, "test");
      const ids = async (filter: Parameters<typeof ledger.listRuns>[0]) =>
        (await ledger.listRuns(filter)).map(({ id }) => id);
      const all = await ids({});
      assert.deepEqual([...all].sort(), runs.map(({ id }) => id).sort());
      const paged: string[] = [];
      for (
        let page = await ids({ limit: 2 });
        page.length > 0;
        page = await ids({ limit: 2, before: page.at(-1)! })
      ) {
        paged.push(...page);
      }
      assert.deepEqual(paged, all);
      assert.equal((await ids({ deployment: "even", states: ["queued"] })).length, 3);
      const [found] = await ledger.findRuns(runs[2]!.id.slice(0, 12));
      assert.equal(found?.id, runs[2]!.id);
      assert.deepEqual([await ledger.findRuns("%"), (await ledger.findRuns("")).length], [[], 0]);
    },
  );
}
