/** A ledger whose disk is full says so, keeps what it had, and goes on when there is room. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "leat-full-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;
const entry = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));

/** Runs what follows with a small disk at `folder`; without root in a name space of the user's own. */
const onSmallDisk = (size: string, ...command: readonly string[]): string =>
  execFileSync(
    "unshare",
    [
      ...(isRoot ? ["--mount"] : ["--mount", "--map-root-user"]),
      "sh",
      "-c",
      'mount -t tmpfs -o size="$0" none "$1" && shift && exec "$@"',
      size,
      folder,
      ...command,
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  );

function hasSmallDisks(): boolean {
  try {
    onSmallDisk("4m", "true");
    return true;
  } catch (error) {
    console.warn(`A FULL DISK OF A LEDGER IS NOT TESTED: ${String(error)}`);
    return false;
  }
}
const isTested = hasSmallDisks();
if (!isRoot)
  console.warn("A FULL DISK OF A LEDGER IN POSTGRES IS NOT TESTED: it takes root to give the server one.");

test.runIf(isTested)("a ledger whose disk is full says so and loses nothing that it had", () => {
  const said = onSmallDisk("4m", process.execPath, entry("full-disk-process.ts"), folder);
  const { told, written, kept, after } = JSON.parse(said);
  expect(told).toMatchObject({ code: "LEDGER_FULL", retryable: true });
  expect(told.hint).toContain("Free some space");
  expect(written).toBeGreaterThan(20);
  expect([kept, after]).toEqual([written, written + 1]);
});

test.runIf(isTested && isRoot)("the same in Postgres, whose disk is full", { timeout: 120_000 }, () => {
  const said = onSmallDisk("24m", process.execPath, entry("full-disk-process.ts"), folder, "postgres");
  const { told, written, kept, after } = JSON.parse(said);
  expect(told).toMatchObject({ code: "LEDGER_FULL", retryable: true });
  expect(written).toBeGreaterThan(20);
  expect([kept, after]).toEqual([written, written + 1]);
});

test.runIf(isTested)(
  "a run that fills the disk says so, and goes on from what is finished when there is room",
  {
    timeout: 120_000,
  },
  () => {
    const work = mkdtempSync(join(tmpdir(), "leat-full-run-"));
    try {
      const said = onSmallDisk("12m", process.execPath, entry("full-disk-run.ts"), folder, work);
      const { first, second, calls, items } = JSON.parse(said);
      expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining("error LEDGER_FULL") });
      expect(first.stderr).toContain("hint: Free some space");
      expect(second.code, second.stderr).toBe(0);
      expect(JSON.parse(second.stdout)).toBe(items);
      // What had ended and could not say so is called again, and nothing else.
      expect([items, items + 1]).toContain(calls);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  },
);
