/** What the checks of containers have in common: commands, what they said, and what is told of them. */
import { spawnSync } from "node:child_process";

/** What one step may take, ms: a base on a slow machine. */
const stepMsMax = 15 * 60_000;

/** What a command said. */
export type Said = Readonly<{ status: number; stdout: string; stderr: string }>;

/** Runs a command and waits for it. `isShown`: what it says is shown, and not in the result. */
export function run(
  command: string,
  args: readonly string[],
  options: { isShown?: boolean; cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Said {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: stepMsMax,
    maxBuffer: 64 * 1024 * 1024,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env !== undefined && { env: { ...process.env, ...options.env } }),
    ...(options.isShown === true && { stdio: ["ignore", "inherit", "inherit"] as const }),
  });
  return { status: status ?? 1, stdout: stdout ?? "", stderr: stderr ?? "" };
}

let failedCount = 0;

/** Tells whether something is as it should be. `seen`: what was there instead. */
export function tell(isGood: boolean, what: string, seen = ""): void {
  if (!isGood) failedCount += 1;
  console.log(`${isGood ? "ok" : "FAILED"}: ${what}${isGood || seen === "" ? "" : `\n${seen}`}`);
}

/** How many things were not as they should be. */
export const countFailed = (): number => failedCount;

/** Something cannot be checked on this machine. */
export class NotChecked extends Error {}

/** Stops here, loudly: a check that did not run must not look like one that passed. */
export function giveUp(reason: string): never {
  throw new NotChecked(reason);
}

/** Waits until something holds. @returns whether it did within the time. */
export async function until(holds: () => Promise<boolean> | boolean, msMax: number): Promise<boolean> {
  const endMs = performance.now() + msMax;
  while (performance.now() < endMs) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}
