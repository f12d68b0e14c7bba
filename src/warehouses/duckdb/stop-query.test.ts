import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { withDuckDb } from "./duckdb-file.ts";

const folder = mkdtempSync(join(tmpdir(), "leat-stop-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Hours of work. */
const endless = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b";
const settings = { lockWaitMs: 1000, memoryLimit: "1GB", tempFolder: folder, threads: 1 };

test("a statement ends when it is stopped before the engine has begun with it, or while it works", async () => {
  for (const afterMs of [0, 0, 0, 1, 2, 5, 50]) {
    const stop = new AbortController();
    const stopped = withDuckDb(
      join(folder, "none.duckdb"),
      "read",
      settings,
      stop.signal,
      async (session) => {
        const answer = session.rows(endless); // Waits for a thread of Node's, and begins on it.
        if (afterMs === 0) stop.abort();
        else setTimeout(() => stop.abort(), afterMs);
        return await answer;
      },
    );
    await expect(stopped, `after ${afterMs} ms`).rejects.toMatchObject({ code: "INTERRUPTED" });
  }
});

test("a statement ends when its operation is stopped while the engine is made", async () => {
  for (const afterMs of [0, 1, 5, 20]) {
    const stop = new AbortController();
    const stopped = withDuckDb(join(folder, "none.duckdb"), "read", settings, stop.signal, ({ connection }) =>
      connection.run(endless),
    );
    setTimeout(() => stop.abort(), afterMs);
    await expect(stopped, `after ${afterMs} ms`).rejects.toMatchObject({ code: "INTERRUPTED" });
  }
});
