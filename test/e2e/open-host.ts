/** Starts the process that runs the tests' commands. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { clockEnvironment } from "../cli/leat-process.ts";
import type { HostAnswer, HostRequest } from "./command-host.ts";

const hostFile = fileURLToPath(new URL("command-host.ts", import.meta.url));

/** How a command ended. */
export type Told = Readonly<{ code: number; stdout: string; stderr: string }>;

export interface CommandHost {
  run(args: readonly string[], cwd: string, environment: Record<string, string>): Promise<Told>;
  /** Fills the disk of the host with a file. */
  fill(path: string): Promise<unknown>;
  remove(path: string): Promise<unknown>;
  close(): Promise<void>;
}

export type HostOptions = Readonly<{
  /** Runs as this user; only root may. */
  uid?: number;
  /** What comes before `node` on the command line, such as `unshare`. */
  before?: readonly string[];
  /** Of the process itself, for what a project's own code reads. */
  environment?: Readonly<NodeJS.ProcessEnv>;
}>;

/** Leaves out a request's number. */
type WithoutId<Request> = Request extends unknown ? Omit<Request, "id"> : never;

export function openHost(options: HostOptions = {}): CommandHost {
  const [file = process.execPath, ...args] = [...(options.before ?? []), process.execPath, hostFile];
  const child: ChildProcess = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { PATH: process.env["PATH"], HOME: "/", ...clockEnvironment, ...options.environment },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const waiting = new Map<number, PromiseWithResolvers<HostAnswer>>();
  // Not `close`, which a child that was disconnected before does not tell of (Node 24.21).
  const closed = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.on("message", (message) => {
    const answer = message as HostAnswer; // Our own process.
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  const fail = (why: string): void => {
    for (const one of waiting.values()) one.reject(new Error(`the host ${why}: ${said}`));
  };
  child.once("error", (error) => fail(error.message));
  child.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
  let count = 0;
  const ask = (request: WithoutId<HostRequest>): Promise<HostAnswer> => {
    const answer = Promise.withResolvers<HostAnswer>();
    const id = ++count;
    waiting.set(id, answer);
    child.send({ ...request, id }, (error) => {
      if (error !== null) answer.reject(new Error(`the host is gone: ${said}`));
    });
    return answer.promise;
  };
  return {
    run: (args, cwd, environment) => ask({ kind: "run", args, cwd, environment }),
    fill: (path) => ask({ kind: "fill", path }),
    remove: (path) => ask({ kind: "remove", path }),
    async close() {
      if (child.connected) child.disconnect();
      await closed;
    },
  };
}
