/** An emulator by others, in a process of its own on loopback. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import { runCommand } from "../steps.ts";

const version = "1.4.0";
const startMsMax = 60_000;

/** At its start it fetches an extension for maps from the network, and ends without it. leat has no maps. */
const withoutMaps =
  "import bqemulator.storage.engine as engine; engine.DuckDBEngine._load_spatial = lambda self: None; " +
  "from bqemulator.cli import main; main()";

/** An emulator that answers. */
export type Emulator = Readonly<{
  /** Sends a request below `/bigquery/v2`. @throws Error with what it says. */
  send: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;
  close: () => Promise<void>;
}>;

/** Installs the emulator where it is missing, and starts it; `undefined` where it cannot run. */
export async function openEmulator(): Promise<Emulator | undefined> {
  const folder = process.env["LEAT_BQEMULATOR"] ?? join(homedir(), ".cache", "leat", `bqemulator-${version}`);
  const program = join(folder, "venv", "bin", "python");
  if (!existsSync(program)) {
    await mkdir(folder, { recursive: true });
    const isMade = (await runCommand("python3", ["-m", "venv", join(folder, "venv")])) === 0;
    const pip = join(folder, "venv", "bin", "pip");
    if (
      !isMade ||
      (await runCommand(pip, ["-q", "install", `bqemulator==${version}`, "duckdb<2", "numpy"])) !== 0
    )
      return undefined;
  }
  const port = await freePort();
  const args = [
    "-c",
    withoutMaps,
    "start",
    "--rest-port",
    String(port),
    "--grpc-port",
    String(await freePort()),
    "--log-level",
    "critical",
  ];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}/bigquery/v2`;
  const send: Emulator["send"] = async (method, path, body) => {
    const headers = { "content-type": "application/json" };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>); // Of the interface's form.
  };
  for (const untilMs = performance.now() + startMsMax; performance.now() < untilMs; await sleep(300)) {
    if (child.exitCode !== null) return undefined;
    const isUp = await send("GET", "/projects/leat/datasets").then(
      () => true,
      () => false,
    );
    if (isUp) return { send, close: () => stop(child) };
  }
  await stop(child);
  return undefined;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
