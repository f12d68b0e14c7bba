/** Events are handled by one process at a time; when it is killed, by another before anybody has waited long. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createFlowRegistry } from "../../src/flow/deployment.ts";
import { startEventLoop } from "../../src/flow/event-loop.ts";
import { flow } from "../../src/flow/flow.ts";
import type { LookLoop } from "../../src/flow/look-loop.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import type { Clock } from "../../src/ports/world.ts";

const beganMs = Date.UTC(2026, 0, 1);

test("when the process that handles events is killed, another makes their runs within twenty seconds", async () => {
  const folder = mkdtempSync(join(tmpdir(), "leat-takeover-"));
  let nowMs = beganMs;
  const ledger = await openSqliteLedger(join(folder, "ledger.db"), { nowMs: () => nowMs });
  const registry = createFlowRegistry([
    flow("heard", { triggers: [{ on: "event", kind: "news" }] }, async () => {}),
  ]);
  const start = (clock: Clock): LookLoop =>
    startEventLoop({
      ledger,
      registry,
      dispatcher: {
        send: async () => {},
        listen: () => Promise.reject(new Error("nobody works")),
        close: async () => {},
      },
      notices: {
        secrets: { resolve: () => Promise.reject(new Error("nobody is told")) },
        clock,
        redact: (text) => text,
        runUrl: undefined,
      },
      onProblem: (error) => {
        throw error;
      },
    });
  try {
    // It has looked once, and is never heard of again.
    await new Promise<void>((resolve) => {
      const sleep = (): Promise<void> => {
        resolve();
        return new Promise(() => {});
      };
      start({ nowMs: () => nowMs, sleep });
    });
    await ledger.appendEvent({ kind: "news", subject: "s", runId: null, data: {}, dedupKey: null });
    const heir = start({
      nowMs: () => nowMs,
      async sleep(ms, signal) {
        await turn();
        signal.throwIfAborted();
        if (ms <= 1000) nowMs += ms; // What it says between two looks takes no time here.
      },
    });
    const run = await (async () => {
      for (;;) {
        const [made] = await ledger.listRuns({ flow: "heard" });
        if (made !== undefined) return made;
        await turn();
      }
    })();
    await heir.stop();
    expect(run.createdAtMs - beganMs).toBeGreaterThan(5000); // Not before the lease of the first is over.
    expect(run.createdAtMs - beganMs).toBeLessThanOrEqual(20_000);
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
