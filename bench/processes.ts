/** Benchmarks' processes: started here, measured by themselves, and ended when the benchmark ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const here = import.meta.dirname;

/** A server that prints its address as its first line and ends with its standard input. */
export async function startServer(
  script: string,
  args: readonly string[],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [join(here, script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.trim());
    });
    child.once("exit", (code) => reject(new Error(`${script} ended with ${code}`)));
  });
  return {
    url,
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** What a job says of itself, and what the system says of it. */
export type JobResult = Readonly<Record<string, number>>;

/** Runs a job to its end and reads the last line it printed, one object of numbers. */
export async function runJob(command: string, args: readonly string[]): Promise<JobResult> {
  const child: ChildProcess = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk));
  const [code] = (await once(child, "close")) as [number | null]; // The first argument of "close" is the exit code.
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
  return JSON.parse(text.trim().split("\n").at(-1) ?? "") as JobResult; // Our own jobs print such a line.
}

/** Runs one of our scripts as a job. */
export const runScript = (script: string, args: readonly string[]): Promise<JobResult> =>
  runJob(process.execPath, [join(here, script), ...args]);

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
