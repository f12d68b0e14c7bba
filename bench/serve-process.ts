/** Servers of the benchmark as processes, the CPU time that they take, and the load that is put on them. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that runs. */
export type Running = Readonly<{
  url: string;
  pid: number;
  /** CPU seconds of the process so far. */
  cpuSeconds: () => number;
  /** Most memory that it had resident so far, MB, its children's as well. */
  peakMb: () => number;
  signal: (name: NodeJS.Signals) => void;
  stop: () => Promise<void>;
}>;

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Starts a server that prints its address and process id as its first line and ends with its standard input. */
export async function startProcess(command: string, args: readonly string[]): Promise<Running> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const line = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.split("\n", 1)[0]!);
    });
    child.once("exit", (code) => reject(new Error(`${command} ${args.join(" ")} ended with ${code}`)));
  });
  const [url = "", pid = ""] = line.split(" ");
  await untilAnswers(url);
  return {
    url,
    pid: Number(pid),
    cpuSeconds: () => cpuSeconds(pid),
    peakMb: () => [pid, ...childrenOf(pid)].reduce((sum, one) => sum + peakMb(one), 0),
    signal: (name) => void process.kill(Number(pid), name),
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

export const startScript = (script: string, args: readonly string[]): Promise<Running> =>
  startProcess(process.execPath, [join(import.meta.dirname, script), ...args]);

async function untilAnswers(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await sleep(100);
  }
  throw new Error(`${url} does not answer`);
}

function cpuSeconds(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const peakMb = (pid: string): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1000;

const childrenOf = (pid: string): readonly string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);

/** What wrk found. */
export type Load = Readonly<{
  requestsPerSecond: number;
  cpuUsPerRequest: number;
  p99Ms: number;
  failed: number;
}>;

/** Waits until a server has done what was left of an earlier load. */
async function untilIdle(server: Running): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const before = server.cpuSeconds();
    await sleep(250);
    if (server.cpuSeconds() - before < 0.03) return;
  }
}

export const hasWrk = (): boolean => spawnSync("wrk", ["--version"]).error === undefined;

/** Puts load on a server: one thread of wrk, connections kept alive, another key for each request. */
export async function loadWith(
  server: Running,
  asked: Readonly<{ pattern: string; areas: number | undefined; connections: number; seconds: number }>,
): Promise<Load> {
  await untilIdle(server);
  const { pattern, areas, connections, seconds } = asked;
  const script = join(import.meta.dirname, "serve-load.lua");
  const own = areas === undefined ? [pattern] : [pattern, String(areas)];
  const before = server.cpuSeconds();
  const wrk = spawn(
    "wrk",
    [
      "-t1",
      `-c${connections}`,
      `-d${seconds}s`,
      "--timeout",
      "60s",
      "--latency",
      "-s",
      script,
      server.url,
      "--",
      ...own,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  wrk.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  await once(wrk, "close");
  const cpu = server.cpuSeconds() - before;
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? Number.NaN);
  const [, p99 = "NaN", unit = "ms"] = /99%\s+([\d.]+)(us|ms|s|m)/.exec(text) ?? [];
  const toMs = { us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit] ?? Number.NaN;
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? Number.NaN),
    cpuUsPerRequest: (cpu / requests) * 1e6,
    p99Ms: Number(p99) * toMs,
    failed: refused + (errors?.slice(1).reduce((sum, one) => sum + Number(one), 0) ?? 0),
  };
}
