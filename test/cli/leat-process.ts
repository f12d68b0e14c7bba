/** Runs the command line as a user does: a process, in a folder, with an environment of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/leat.js", import.meta.url));

/** What a process left behind. */
export type Ended = Readonly<{ code: number | null; stdout: string; stderr: string }>;

/** A process that may be talked to while it runs. */
export type Running = Readonly<{
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when its output, so far or from now on, holds the text. */
  saw: (text: string) => Promise<void>;
  /** What it has written so far. */
  output: () => string;
}>;

/** A folder for a test, with files in it. */
export interface TestFolder {
  readonly path: string;
  write(name: string, text: string): void;
  /** Starts leat in the folder. */
  start(args: readonly string[], environment?: Record<string, string>): Running;
  /** Runs leat in the folder until it ends. */
  leat(...args: string[]): Promise<Ended>;
  remove(): void;
}

/** What sets the clock of a test that is run by `faketime`: what the test starts has the same clock. */
export const clockEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  ["LD_PRELOAD", "FAKETIME"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/** Starts leat in a folder. */
export function startLeat(
  path: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Running {
  // Nothing else of the environment of whoever runs the tests: LEAT_* or NODE_OPTIONS would change what is tested.
  const env = { PATH: process.env["PATH"] ?? "", HOME: path, ...clockEnvironment, ...environment };
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: path,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  let listeners: (() => void)[] = [];
  const note = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    note();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    note();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, stdout, stderr });
      note();
    });
  });
  const saw = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const isThere = (stdout + stderr).includes(text);
        if (!isThere && child.exitCode === null) return;
        listeners = listeners.filter((listener) => listener !== look);
        if (isThere) resolve();
        else reject(new Error(`it ended without "${text}":\n${stdout}${stderr}`));
      };
      listeners.push(look);
      look();
    });
  return { child, ended, saw, output: () => stdout + stderr };
}

/** Makes an empty folder. */
export function makeFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "leat-cli-"));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  const start: TestFolder["start"] = (args, environment) => startLeat(path, args, environment);
  return {
    path,
    write,
    start,
    leat: (...args) => start(args).ended,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Two tenants' orders from files; `pages` may be replaced by code that fails, waits or counts. */
export function orderProject(options: { pages?: string; more?: string; imports?: string } = {}): string {
  const pages =
    options.pages ?? "yield await readFile(new URL('data/' + tenant.id + '.ndjson', import.meta.url));";
  return `
import { appendFileSync, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { defineProject, defineSource } from "leat";
${options.imports ?? ""}
const call = (what: string): void => appendFileSync(new URL("calls.log", import.meta.url), what + "\\n");
export default defineProject({
  name: "orders",
  tenants: "tenants.json",
  sources: [
    defineSource({
      name: "shop",
      streams: {
        orders: {
          primaryKey: "id",
          cursor: { field: "updated_at", initial: "2026-01-01", start: { inclusive: true }, end: {}, spanMax: "24h" },
          records: "lines",
          pages: async function* ({ tenant, start, end, signal, secrets }) {
            call(\`\${tenant.id} \${start}\`);
            ${pages}
          },
        },
      },
    }),
  ],
  ${options.more ?? ""}
});
`;
}
