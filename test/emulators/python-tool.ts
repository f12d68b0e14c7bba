/** Programs from the Python package index, each in an environment of its own below the system's temporary folder. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** Longest installation, ms. */
const installMsMax = 10 * 60_000;
/** Longest start of a program, ms. */
const startMsMax = 60_000;

export type PythonTool = Readonly<{
  /** Names its environment. */
  name: string;
  /** What pip is asked for, with versions. */
  packages: readonly string[];
  /** Where the program is below its environment, as a glob. */
  program: string;
}>;

/** The path of the program, installed if it was not; `undefined`: it cannot be had here. */
export async function installPythonTool({
  name,
  packages,
  program,
}: PythonTool): Promise<string | undefined> {
  const environment = join(tmpdir(), `leat-emulator-${name}`);
  const find = (): string | undefined =>
    globSync(program, { cwd: environment }).map((found) => join(environment, found))[0];
  const there = find();
  if (there !== undefined) return there;
  await rm(environment, { recursive: true, force: true });
  const options = { stdio: "inherit", timeout: installMsMax } as const;
  if (spawnSync("python3", ["-m", "venv", environment], options).status !== 0) return undefined;
  const pip = join(environment, "bin", "pip");
  spawnSync(pip, ["install", "--quiet", "--disable-pip-version-check", ...packages], options);
  return find();
}

export type RunningTool = Readonly<{ url: string; stop: () => Promise<void> }>;

/** Starts a server on a free port of loopback, and waits until it answers. @returns `undefined` when it does not. */
export async function startTool(
  path: string,
  argsFor: (port: number) => readonly string[],
): Promise<RunningTool | undefined> {
  const port = await findFreePort();
  const child: ChildProcess = spawn(path, argsFor(port), { stdio: "ignore" });
  let hasEnded = false;
  child.once("error", () => {
    hasEnded = true;
  });
  child.once("exit", () => {
    hasEnded = true;
  });
  const stop = async (): Promise<void> => {
    if (hasEnded) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  for (const untilMs = Date.now() + startMsMax; Date.now() < untilMs && !hasEnded; await wait(100)) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return { url, stop };
  }
  await stop();
  return undefined;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}
