/** Builds the datasets and serves them, as a person would: for the demo, and for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

const leat = join(import.meta.dirname, "../../bin/leat.js");

/** Whoever leaves early stops these. */
const running = new Set<ChildProcess>();

/** A server, and its end. */
export type ServedDeaths = AsyncDisposable & Readonly<{ url: string }>;

function start(args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, [leat, ...args], {
    cwd: import.meta.dirname,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Runs a command of leat to its end; what it printed. */
export async function runLeat(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const child = start(args, environment);
  const [out, errors] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
  if (child.exitCode !== 0) throw new Error(`leat ${args.join(" ")} ended with ${child.exitCode}: ${errors}`);
  return out;
}

/** Starts `leat serve` on a free port, and waits until it answers there. */
export async function serveDeaths(environment: NodeJS.ProcessEnv): Promise<ServedDeaths> {
  const child = start(["serve", "--port", "0"], environment);
  const listening = Promise.withResolvers<string>();
  const said: string[] = [];
  for (const stream of [child.stdout!, child.stderr!])
    createInterface(stream).on("line", (line) => {
      said.push(line);
      const url = /listening on (http:[^"\s]+)/.exec(line)?.[1];
      if (url !== undefined) listening.resolve(url);
    });
  child.once("exit", () => listening.reject(new Error(`leat serve ended: ${said.join("\n")}`)));
  const url = await listening.promise;
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Ends what is still running. */
export function stopServing(): void {
  for (const child of running) child.kill("SIGKILL");
}
