/** What every ledger sums up of runs for those who look at thousands of them. */
import assert from "node:assert/strict";
import type { Ledger } from "../ports/ledger.ts";
import { type DefineLedgerTest, failure, keyOf, startRun } from "./ledger-under-test.ts";

const hourMs = 3_600_000;

async function end(ledger: Ledger, deployment: string, isGood: boolean, key?: string): Promise<void> {
  const { fence } = await startRun(ledger, {
    deployment,
    ...(key !== undefined && { keyLimit: keyOf(key) }),
  });
  const bad = { move: "fail", error: failure("no") } as const;
  await ledger.endAttempt(fence, isGood ? { move: "succeed", result: null } : bad);
}

/** Defines the tests of summaries. */
export function ledgerSummaryContract(check: DefineLedgerTest): void {
  check("runs are counted by the span in which they were made, and by state", async ({ ledger, advance }) => {
    const fromMs = ledger.nowMs();
    await end(ledger, "a", true);
    await end(ledger, "b", false);
    advance(hourMs);
    await end(ledger, "a", true);
    await end(ledger, "a", true);
    advance(hourMs - 1);
    await startRun(ledger, { deployment: "c" });
    const counts = await ledger.countRunsBySpan({ fromMs, spanMs: hourMs });
    assert.deepEqual(counts.map((one) => [(one.atMs - fromMs) / hourMs, one.state, one.count]).sort(), [
      [0, "failed", 1],
      [0, "succeeded", 1],
      [1, "running", 1],
      [1, "succeeded", 2],
    ]);
    assert.equal((await ledger.countRunsBySpan({ fromMs: fromMs + hourMs, spanMs: hourMs })).length, 2);
  });

  check("a deployment fails until a later run of it succeeds", async ({ ledger, advance }) => {
    const failing = async () => (await ledger.listFailing()).map(({ deployment }) => deployment);
    await end(ledger, "a", false);
    advance(1);
    await end(ledger, "b", false);
    assert.deepEqual(await failing(), ["b", "a"]);
    advance(1);
    await startRun(ledger, { deployment: "a" });
    assert.deepEqual(await failing(), ["b", "a"]); // It runs again, and nobody knows yet.
    advance(1);
    await end(ledger, "a", true);
    assert.deepEqual(await failing(), ["b"]);
  });

  check("each key tells of its newest run, and of its last success", async ({ ledger, advance }) => {
    await end(ledger, "a", true, "shop:414");
    const succeededAtMs = ledger.nowMs();
    advance(10);
    await end(ledger, "a", false, "shop:414");
    await end(ledger, "a", false, "shop:415");
    const standings = await ledger.listKeyStandings();
    assert.deepEqual(
      standings.map((one) => [one.key, one.state, one.succeededAtMs]),
      [
        ["shop:414", "failed", succeededAtMs],
        ["shop:415", "failed", null],
      ],
    );
  });
}
