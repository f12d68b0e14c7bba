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
const entry = fileURLToPath(new URL("./full-disk-process.ts", import.meta.url));

/** Runs what follows with a disk of four megabytes at `folder`; without root in a name space of the user's own. */
const onSmallDisk = (...command: readonly string[]): string =>
  execFileSync(
    "unshare",
    [
      ...(isRoot ? ["--mount"] : ["--mount", "--map-root-user"]),
      "sh",
      "-c",
      'mount -t tmpfs -o size=4m none "$0" && exec "$@"',
      folder,
      ...command,
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  );

function hasSmallDisks(): boolean {
  try {
    onSmallDisk("true");
    return true;
  } catch (error) {
    console.warn(`A FULL DISK OF A LEDGER IS NOT TESTED: ${String(error)}`);
    return false;
  }
}

test.runIf(hasSmallDisks())("a ledger whose disk is full says so and loses nothing that it had", () => {
  const { told, written, kept, after } = JSON.parse(onSmallDisk(process.execPath, entry, folder));
  expect(told).toMatchObject({ code: "LEDGER_FULL", retryable: true });
  expect(told.hint).toContain("Free some space");
  expect(written).toBeGreaterThan(20);
  expect([kept, after]).toEqual([written, written + 1]);
});
