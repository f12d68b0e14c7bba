/** The steps that `npm test` and `npm run check` are made of: each is one command with its output shown. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the repository. */
export const root: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** What tests said: numbers of single tests, and of checks that count like one. */
export type Counts = Readonly<{ passed: number; failed: number; skipped: number }>;

/**
 * Runs one command in the repository, with the pinned tools first in the path and without stdin.
 *
 * @returns the exit code; 1 when a signal ended it or it could not be started.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<number> {
  const path = [join(root, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32", // The tools are .cmd files there.
  });
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** Runs one named step and tells how long it took. */
export async function runStep(name: string, command: string, args: readonly string[]): Promise<boolean> {
  const startedAt = performance.now();
  const code = await runCommand(command, args);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok" : "FAILED"}: ${name} (${seconds} s)`);
  return code === 0;
}

/** Types, the console's build and lint: each counts as one failure when it fails, and as nothing when it does not. */
export async function runStaticChecks(): Promise<number> {
  let failed = 0;
  if (!(await runStep("types", "tsc", ["-p", "."]))) failed += 1;
  if (!(await runStep("types of the console", "tsc", ["-p", "ui"]))) failed += 1;
  // Tests look at it in a browser, and measure it.
  if (!(await runStep("build of the console", "vite", ["build", "ui", "--logLevel", "warn"]))) failed += 1;
  if (!(await runStep("lint and format", "biome", ["check", "."]))) failed += 1;
  return failed;
}

/** Runs the tests and reads the counts that the runner wrote, not those it printed. */
export async function runTests(args: readonly string[]): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), "leat-test-"));
  try {
    const file = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const code = await runCommand("vitest", ["run", ...reporters, ...args]);
    return countTests(await readFile(file, "utf8").catch(() => undefined), code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A test as the runner reports it; only what is counted. */
type Report = Readonly<{
  testResults: readonly Readonly<{ status: string; assertionResults: readonly { status: string }[] }>[];
}>;

/**
 * Adds up a report. A file that failed without a failed test (it could not be imported) counts as one failure, and so
 * does a runner that ended badly without saying why: an unhandled rejection, a crash, no test at all.
 *
 * @param text - the JSON reporter's file; `undefined`: it was not written.
 */
export function countTests(text: string | undefined, exitCode: number): Counts {
  if (text === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const counts = { passed: 0, failed: 0, skipped: 0 };
  // The shape is the runner's documented one; its fields are counted and nothing else is done with them.
  for (const file of (JSON.parse(text) as Report).testResults) {
    let failedHere = 0;
    for (const { status } of file.assertionResults) {
      if (status === "passed") counts.passed += 1;
      else if (status === "failed") failedHere += 1;
      else counts.skipped += 1;
    }
    counts.failed += file.status === "failed" && failedHere === 0 ? 1 : failedHere;
  }
  const isSilentFailure = counts.failed === 0 && (exitCode !== 0 || counts.passed === 0);
  if (isSilentFailure) counts.failed = 1;
  return counts;
}

/** The last line of `npm test`. */
export function printCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
