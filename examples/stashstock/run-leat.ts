/** Runs the command line as a process of its own, as a person or a scheduler would. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const binPath = join(import.meta.dirname, "../../bin/leat.js");

/** How a process of leat ended. */
export type LeatEnd = Readonly<{
  exitCode: number | null;
  /** The signal that killed it, if one did. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}>;

export interface LeatProcess {
  readonly pid: number;
  readonly ended: Promise<LeatEnd>;
  kill(signal: NodeJS.Signals): void;
}

/** What has not ended yet; whoever leaves early kills these and no others. */
const running = new Set<ChildProcess>();

/** Starts `leat <args>` in a folder, under the Node that runs this. */
export function startLeat(
  args: readonly string[],
  options: Readonly<{ cwd: string; environment: NodeJS.ProcessEnv }>,
): LeatProcess {
  const child = spawn(process.execPath, [binPath, ...args], {
    cwd: options.cwd,
    env: options.environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const ended = (async (): Promise<LeatEnd> => {
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    running.delete(child);
    return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
  })();
  return { pid: child.pid ?? -1, ended, kill: (signal) => void child.kill(signal) };
}

/** Kills what is still running, by pid. */
export function killRunning(): void {
  for (const child of running) child.kill("SIGKILL");
}
