/** What authors and callers of flows do wrong is told, with the place and what to do. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../../src/cli/system-world.ts";
import { createFlowRegistry } from "../../src/flow/deployment.ts";
import { flow } from "../../src/flow/flow.ts";
import type { Flow, FlowContext } from "../../src/flow/flow-context.ts";
import { parseParams, readParamTexts } from "../../src/flow/params.ts";
import { runForeground } from "../../src/flow/run-foreground.ts";
import { task } from "../../src/flow/task.ts";
import { openPostgresLedger } from "../../src/ledgers/postgres/open-postgres-ledger.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import type { FlowRun } from "../../src/model/run-record.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leat-bad-flow-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const errorOf = (call: () => unknown): Error & { code?: string; hint?: string } => {
  try {
    call();
  } catch (error) {
    return error as Error; // Everything that leat throws is one.
  }
  throw new Error("nothing was thrown");
};

/** Runs a flow in this process, and tells how it ended. */
async function runHere(
  declared: Flow,
  options: { results?: ObjectStore; redact?: (text: string) => string } = {},
): Promise<Readonly<{ run: FlowRun; lines: readonly string[] }>> {
  const ledger = await openSqliteLedger(join(folder, "ledger.db"), systemClock);
  try {
    const { run } = await runForeground(
      {
        ledger,
        clock: systemClock,
        fraction: () => 0.5,
        results: options.results,
        redact: options.redact ?? ((text) => text),
        codeVersion: null,
        tell: () => {},
      },
      { deployment: createFlowRegistry([declared]).deployment("f"), params: {}, by: "test" },
      new AbortController().signal,
      () => {},
    );
    return { run, lines: (await ledger.readLogs(run.id, {})).map(({ message }) => message) };
  } finally {
    await ledger.close();
  }
}

describe("declarations", () => {
  test("all faults of a flow are told at once, each with its place", () => {
    const { code, message } = errorOf(() =>
      flow(
        "my flow",
        {
          timeout: "soon",
          concurrency: { limit: 0 },
          schedules: [
            { cron: "0 6 31 2 *" },
            { every: "10ms" },
            { dates: ["2026-02-30"], timezone: "Mars/Base" },
          ],
          notify: [{ to: "slack", url: "https://hooks.example/secret" }],
        },
        async () => {},
      ),
    );
    expect(code).toBe("CONFIG_INVALID");
    for (const place of [
      "name:",
      "options.timeout:",
      "options.concurrency.limit:",
      'options.schedules[0].cron: "0 6 31 2 *" never fires',
      "options.schedules[1].every:",
      "options.schedules[2]",
      "options.notify[0].url:",
    ]) {
      expect(message).toContain(place);
    }
    expect(message).not.toContain("hooks.example");
  });

  test("an expression that is no cron expression is told with what is wrong with it", () => {
    const problem = (cron: string) =>
      errorOf(() => flow("f", { schedules: [{ cron }] }, async () => {})).message;
    expect(problem("61 * * * *")).toContain('"61 * * * *" is no cron expression');
    expect(problem("every day")).toContain("is no cron expression");
    expect(problem("TZ=UTC 0 6 * * *")).toContain("write it as `timezone`");
  });

  test("a schedule whose parameters do not fit, and two flows of one name, are told by the project", () => {
    const daily = flow(
      "daily",
      { params: z.object({ day: z.iso.date() }), schedules: [{ cron: "@daily" }] },
      async () => {},
    );
    const { message } = errorOf(() => createFlowRegistry([daily, daily]));
    expect(message).toContain("daily.schedules[0].params");
    expect(message).toContain("two flows or deployments have this name");
  });

  test("a flow that is not there is told with near names", () => {
    const registry = createFlowRegistry([flow("nightly", {}, async () => {})]);
    const { code, hint } = errorOf(() => registry.deployment("nihgtly"));
    expect(code).toBe("FLOW_UNKNOWN");
    expect(hint).toContain("nightly");
  });
});

describe("parameters", () => {
  const spec = flow(
    "f",
    {
      params: z.object({ tenant: z.string(), days: z.int().max(30), tags: z.array(z.string()).default([]) }),
    },
    async () => {},
  ).spec;

  test("all faults are told at once, an unknown one with the near name", () => {
    const { code, message } = errorOf(() => parseParams(spec, { tennant: "a", days: 99, tags: "x" }));
    expect(code).toBe("PARAMS_INVALID");
    expect(message).toContain('did you mean "tenant"');
    for (const place of ["tenant:", "days:", "tags:"]) expect(message).toContain(place);
  });

  test("texts of a command line are read by the schema, and a text without a value is refused", () => {
    expect(readParamTexts(spec, ["tenant=0414", "days=3", "tags=a", "tags=b"])).toEqual({
      tenant: "0414",
      days: 3,
      tags: ["a", "b"],
    });
    // All that is wrong at once: what is no parameter, what is unknown, what does not fit, and what is missing.
    expect(errorOf(() => readParamTexts(spec, ["tenant", "=x", "dais=3", "days=99"]))).toMatchObject({
      code: "PARAMS_INVALID",
      details: {
        faults: [
          { path: "tenant", problem: "is no parameter; write it as name=value" },
          { path: "=x" },
          { path: "dais", problem: expect.stringContaining('did you mean "days"?') },
          { path: "tenant" },
          { path: "days" },
        ],
      },
    });
    const given = errorOf(() => readParamTexts(spec, ["days"], { tenant: "0414", days: 3 }));
    expect(given).toMatchObject({ details: { faults: [{ path: "days" }] } }); // The rest is given elsewhere.
  });

  test("what is not plain JSON is refused with its place, and what is too large with its size", () => {
    const { code, message } = errorOf(() => parseParams(spec, { tenant: { when: new Date(0) } }));
    expect([code, message]).toEqual(["VALUE_NOT_SERIALISABLE", expect.stringContaining("tenant.when")]);
    const large = errorOf(() => parseParams(spec, { tenant: "x".repeat(300_000), days: 1 }));
    expect(large).toMatchObject({ code: "VALUE_TOO_LARGE", message: expect.stringContaining("262144") });
  });
});

describe("F7 results", () => {
  const giving = (value: unknown) => {
    const give = task("give", {}, () => value);
    return flow("f", {}, async (ctx) => String(JSON.stringify(await give(ctx)) ?? "nothing").length);
  };

  test.each([
    ["a Date", { at: [new Date(0)] }, "at[0], is a Date"],
    ["a Map", new Map(), "is an object of class Map"],
    ["NaN", { rows: { mean: Number.NaN } }, "rows.mean, is NaN"],
    ["bytes", new Uint8Array(3), "is a Uint8Array"],
    ["a function", () => 1, "is a function"],
    ["a bigint", [1n], "is a bigint"],
  ])("of %s are refused, with the place", async (_what, value, told) => {
    const { run } = await runHere(giving(value));
    expect(run).toMatchObject({ state: "failed", error: { code: "VALUE_NOT_SERIALISABLE" } });
    expect(run.error?.message).toContain(told);
  });

  test("that contain themselves are refused", async () => {
    const ring: Record<string, unknown> = {};
    ring["ring"] = ring;
    expect((await runHere(giving(ring))).run.error?.message).toContain("contains itself");
  });

  test("too large for the ledger are refused with their size, or kept in a store", async () => {
    const large = giving("x".repeat(300_000));
    const refused = (await runHere(large)).run;
    expect(refused).toMatchObject({ state: "failed", error: { code: "VALUE_TOO_LARGE" } });
    expect(refused.error?.message).toContain("300002 bytes");
    const kept = (await runHere(large, { results: createMemoryStore() })).run;
    expect(kept).toMatchObject({ state: "succeeded", result: { json: "300002" } });
  });

  test("that are undefined come back so, also from the ledger", async () => {
    expect((await runHere(giving(undefined))).run.result).toEqual({ json: "7" });
  });
});

describe("code of flows", () => {
  const noop = task("noop", {}, (_ctx, _what: unknown) => 1);

  test("a task that calls a task is told that it cannot", async () => {
    const outer = task("outer", {}, (ctx) => noop(ctx as never, 1));
    const { run } = await runHere(flow("f", {}, (ctx) => outer(ctx)));
    expect(run.error).toMatchObject({ code: "FLOW_MISUSED", message: expect.stringContaining('"noop"') });
  });

  test("arguments that cannot name a result want a key", async () => {
    const { run } = await runHere(flow("f", {}, (ctx) => noop(ctx, new Map())));
    expect(run.error).toMatchObject({ code: "TASK_KEY_NEEDED" });
    const keyed = task(
      "keyed",
      { key: (_what: Map<string, number>) => "k" },
      (_ctx, what: Map<string, number>) => what.size,
    );
    const named = await runHere(flow("f", {}, (ctx) => keyed(ctx, new Map([["a", 1]]))));
    expect(named.run.result).toEqual({ json: "1" });
  });

  test("a map with an impossible concurrency, and an artifact that is no link, are told", async () => {
    const mapped = await runHere(flow("f", {}, (ctx) => ctx.map([1], async () => 1, { concurrency: 0 })));
    expect(mapped.run.error).toMatchObject({
      code: "FLOW_MISUSED",
      message: expect.stringContaining("concurrency"),
    });
    const linked = await runHere(flow("f", {}, (ctx) => ctx.artifact.link("report", "not a url")));
    expect(linked.run.error).toMatchObject({
      code: "FLOW_MISUSED",
      message: expect.stringContaining("report"),
    });
  });

  test("a map that goes on after failures tells how many there were, and a retry would do only those", async () => {
    const odd = task("odd", {}, (_ctx, n: number) => {
      if (n % 2 === 1) throw new Error(`${n} is odd`);
      return n;
    });
    const { run } = await runHere(
      flow("f", {}, (ctx) => ctx.map([0, 1, 2, 3], (n) => odd(ctx, n), { onError: "continue" })),
    );
    expect(run.error).toMatchObject({
      code: "FLOW_MAP_FAILED",
      details: { failed: 2, of: 4, first: [1, 3] },
    });
  });

  test("a flow that calls itself without an end is stopped", async () => {
    const endless: Flow<Record<never, never>, number> = flow("f", {}, (ctx) => ctx.run(endless, {}));
    const { run } = await runHere(endless);
    expect(run.error).toMatchObject({
      code: "FLOW_MISUSED",
      message: expect.stringContaining("10 flows deep"),
    });
  });

  test("a failure that is not worth another try has none, and the author may say which are", async () => {
    let calls = 0;
    const picky = task("picky", { retries: 5, retryIf: (error) => String(error).includes("busy") }, () => {
      calls += 1;
      throw new Error("denied");
    });
    await runHere(flow("f", {}, (ctx) => picky(ctx)));
    expect(calls).toBe(1);
  });

  test.each([
    ["text", "no bread", "no bread"],
    ["nothing", undefined, "threw undefined"],
    ["null", null, "threw null"],
    ["an object", { code: 5, big: 1n }, "threw { code: 5, big: 1n }"],
    ["a symbol", Symbol("s"), "threw Symbol(s)"],
    [
      "what cannot be shown",
      new Proxy(
        {
          toString: () => {
            throw new Error("no");
          },
        },
        {},
      ),
      "threw { toString: [Function: toString] }",
    ],
  ])("code may throw %s, in a task or outside, and is told with it", async (_what, thrown, message) => {
    const thrower = task("thrower", {}, () => {
      throw thrown;
    });
    for (const call of [() => Promise.reject(thrown), (ctx: FlowContext) => thrower(ctx)]) {
      const { run } = await runHere(flow("f", {}, call));
      expect(run).toMatchObject({ state: "failed", error: { code: null, message } });
    }
  });

  test("a line of a log is kept whatever is handed over, and what is too long is cut", async () => {
    const { run, lines } = await runHere(
      flow("f", {}, async (ctx) => {
        const log = ctx.log.info as (message?: unknown, data?: unknown) => void; // As code without types sees it.
        log(undefined);
        log({ a: 1 }, new Map());
        log("x".repeat(1_000_000));
        log("nul \0 and half a pair \ud800");
      }),
    );
    expect(run.state).toBe("succeeded");
    expect(lines.map((line) => line.slice(0, 30))).toEqual([
      "undefined",
      "{ a: 1 }",
      "x".repeat(30),
      "nul \ufffd and half a pair \ufffd",
    ]);
    expect(lines[2]).toContain("(1000000 characters)");
  });

  test("secrets are taken out of logs, arguments and errors", async () => {
    const redact = (text: string) => text.replaceAll("hunter2", "[secret]");
    const leak = task("leak", {}, (ctx, password: string) => {
      ctx.log.info(`with ${password}`, { password });
      throw new Error(`no login with ${password}`);
    });
    const { run, lines } = await runHere(
      flow("f", {}, (ctx) => leak(ctx, "hunter2")),
      { redact },
    );
    expect(run.error?.message).toBe("no login with [secret]");
    expect(lines[0]).toBe("with [secret]");
    const database = new DatabaseSync(join(folder, "ledger.db"));
    const tables = ["task", "log", "run", "event"].map((table) =>
      JSON.stringify(database.prepare(`select * from ${table}`).all()),
    );
    database.close();
    expect(tables.join("")).not.toContain("hunter2");
  });
});

describe("ledgers", () => {
  test("a file that is no database is not touched, and told", async () => {
    const path = join(folder, "notes.txt");
    writeFileSync(path, "these are notes, and no database, and longer than a header of one".repeat(40));
    await expect(openSqliteLedger(path, systemClock)).rejects.toMatchObject({ code: "LEDGER_UNREADABLE" });
  });

  test("a ledger of a newer leat is not touched, and told", async () => {
    const path = join(folder, "ledger.db");
    await (await openSqliteLedger(path, systemClock)).close();
    const database = new DatabaseSync(path);
    database.exec("update ledger_version set version = 99");
    database.close();
    await expect(openSqliteLedger(path, systemClock)).rejects.toMatchObject({
      code: "LEDGER_NEWER",
      message: expect.stringContaining("99"),
    });
  });

  test("a server with a wrong name is told without its password", async () => {
    const opening = openPostgresLedger({
      connectionString: "postgres://ada:hunter2@no-such-host.invalid/runs",
      clock: systemClock,
    });
    const error = await opening.then(
      () => new Error("it was opened"),
      (reason: unknown) => reason as Error, // Whatever it is, it has a text.
    );
    expect(error).toMatchObject({ code: "LEDGER_UNREADABLE" });
    expect(error.message).toContain("no-such-host.invalid");
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  test("a select through Kysely over node's own SQLite has its rows", async () => {
    const ledger = await openSqliteLedger(join(folder, "ledger.db"), systemClock);
    await ledger.appendEvent({ kind: "k", subject: "s", data: { n: 1 }, runId: null, dedupKey: null });
    expect((await ledger.listEvents({})).map(({ data }) => data)).toEqual([{ n: 1 }]);
    await ledger.close();
  });
});
