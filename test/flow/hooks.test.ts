/** What an author hangs on the end of runs: a flow that it triggers, with a run for each event. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { createFlowRegistry } from "../../src/flow/deployment.ts";
import { handleEvents } from "../../src/flow/event-loop.ts";
import { fireEvent } from "../../src/flow/fire-triggers.ts";
import { flow } from "../../src/flow/flow.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import type { AttemptEnd } from "../../src/ports/ledger.ts";
import { failure, startRun } from "../../src/testing/ledger-under-test.ts";

const daily = flow("daily", {}, async () => {});
const after = flow(
  "after-daily",
  {
    params: z.object({ run: z.string(), what: z.string(), why: z.string() }),
    triggers: (["run.failed", "run.recovered", "run.late"] as const).map((on) => ({
      on,
      deployment: "daily",
      params: ({ runId, kind, data }) => ({
        run: runId ?? "",
        what: kind,
        why: z.object({ message: z.string() }).safeParse(data["error"]).data?.message ?? "",
      }),
    })),
  },
  async () => {},
);

test("a failure, the recovery from it and lateness have a run of the hook each, once, with what happened", async () => {
  const folder = mkdtempSync(join(tmpdir(), "leat-hooks-"));
  let nowMs = Date.UTC(2026, 0, 1);
  const ledger = await openSqliteLedger(join(folder, "ledger.db"), { nowMs: () => nowMs });
  const world = {
    ledger,
    registry: createFlowRegistry([daily, after]),
    dispatcher: {
      send: async () => {},
      listen: () => Promise.reject(new Error("nobody works")),
      close: async () => {},
    },
    notices: {
      secrets: { resolve: () => Promise.reject(new Error("nobody is told")) },
      clock: { nowMs: () => nowMs, sleep: async () => {} },
      redact: (text: string) => text,
      runUrl: undefined,
    },
    onProblem: (error: unknown) => {
      throw error;
    },
  };
  const runDaily = async (end: AttemptEnd, lateAtMs: number | null = null): Promise<string> => {
    const facts = { flow: "daily", deployment: "daily", params: {}, lateAtMs };
    const { run, fence } = await startRun(ledger, facts);
    nowMs += 1000;
    await ledger.markLate();
    await ledger.endAttempt(fence, end);
    return run.id;
  };
  try {
    const failed = await runDaily({ move: "fail", error: failure("the door is shut") });
    const recovered = await runDaily({ move: "succeed", result: null });
    const late = await runDaily({ move: "succeed", result: null }, nowMs + 500);
    const { signal } = new AbortController();
    while ((await handleEvents(world, signal)) > 0);
    const runs = await ledger.listRuns({ flow: "after-daily" });
    // They were made within one moment, so that no order of theirs is told.
    expect(new Set(runs.map(({ params }) => params))).toEqual(
      new Set([
        { run: failed, what: "run.failed", why: "the door is shut" },
        { run: recovered, what: "run.recovered", why: "" },
        { run: late, what: "run.late", why: "" },
      ]),
    );
    // A process that is killed before it has said so leaves its events to the next one.
    for (const event of await ledger.listEvents({ kinds: ["run.failed"] })) await fireEvent(world, event);
    expect(await ledger.listRuns({ flow: "after-daily" })).toHaveLength(3);
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
