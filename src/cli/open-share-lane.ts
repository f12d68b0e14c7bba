/**
 * Shares are delivered in processes of their own, a few at a time, each of which does one tenant after another: a
 * customer's warehouse that hangs holds one of them until its deadline, and the others go on.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { LeatError } from "../errors/leat-error.ts";
import type { Progress } from "../ports/world.ts";
import type { ShareTurn } from "../share/choose-shares.ts";
import { failedReport, type ShareReport } from "../share/print-outcome.ts";
import type { ShareMode } from "../share/share-job.ts";
import type { ShareReply, ShareRequest } from "./share-messages.ts";

const entryPath = fileURLToPath(new URL(`./share-process-main${extname(import.meta.url)}`, import.meta.url));

/** Processes at once, unless said otherwise: each takes some 150 MB, and two cores are busy with two. */
export const sharesAtOnceDefault = 4;

/** How long a process may take to load the project, ms: a large one on a busy machine takes seconds. */
const beginMsMax = 60_000;

/** What a process may take beyond the deadline of its share to say so, or after it was stopped, ms; then it is ended. */
const marginMs = 5000;

/** Turns of one process: what a client of a warehouse leaks goes with it. */
const turnsPerProcess = 200;

/** How long a process without a turn is kept, ms: its memory is worth more than the half second that it saves. */
const idleMsMax = 30_000;

/** How much of what a process writes on its stderr is told when it dies, characters. */
const stderrMax = 2000;

/** Delivers shares. */
export interface ShareLane {
  /** Rejects for nothing that the world does. */
  deliver(turn: ShareTurn, mode: ShareMode, progress: Progress, signal: AbortSignal): Promise<ShareReport>;
  /** Ends its processes. */
  close(): Promise<void>;
}

type ShareProcess = { readonly child: ChildProcess; turns: number; stderr: string };

/** Opens a lane; no process is started before there is a turn. */
export function openShareLane(
  place: Readonly<{ configPath: string; cwd: string }>,
  atOnce: number = sharesAtOnceDefault,
): ShareLane {
  const idle: ShareProcess[] = [];
  const all = new Set<ShareProcess>();
  const waiting: (() => void)[] = [];
  let running = 0;

  const start = async (): Promise<ShareProcess> => {
    const child = fork(entryPath, [place.configPath], {
      cwd: place.cwd,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const begun: ShareProcess = { child, turns: 0, stderr: "" };
    all.add(begun);
    child.once("exit", () => all.delete(begun));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      begun.stderr = (begun.stderr + text).slice(-stderrMax);
    });
    try {
      await firstOf(begun, "ready", AbortSignal.timeout(beginMsMax));
      return begun;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  };
  const take = async (): Promise<ShareProcess> => {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) if (kept.child.connected) return kept;
    return await start();
  };
  const keep = (used: ShareProcess): void => {
    idle.push(used);
    const { turns } = used;
    const timer = setTimeout(() => {
      if (used.turns !== turns || !idle.includes(used)) return; // It has worked meanwhile.
      idle.splice(idle.indexOf(used), 1);
      used.child.kill("SIGKILL"); // It holds nothing.
    }, idleMsMax);
    timer.unref();
  };
  const work = async (
    { share, tenant }: ShareTurn,
    mode: ShareMode,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<ShareReport> => {
    const used = await take();
    const { child } = used;
    const late = AbortSignal.timeout(share.deadlineMs + marginMs);
    const onStop = (): void => {
      send(child, { kind: "stop" });
      setTimeout(() => child.kill("SIGKILL"), marginMs).unref();
    };
    const onProgress = (reply: ShareReply): void => {
      if (reply.kind === "progress") progress(reply.event);
    };
    signal.addEventListener("abort", onStop, { once: true });
    child.on("message", onProgress);
    try {
      const done = firstOf(used, "done", late);
      send(child, { kind: "share", share: share.name, tenant: tenant.id, mode });
      const reply = await done;
      used.turns += 1;
      // One that has missed its deadline may still be at work for it.
      const isOver = reply.report.error !== null || used.turns >= turnsPerProcess || signal.aborted;
      if (isOver) child.kill("SIGKILL");
      else keep(used);
      return reply.report;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      signal.removeEventListener("abort", onStop);
      child.off("message", onProgress);
    }
  };

  return {
    async deliver(turn, mode, progress, signal) {
      if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1; // One that waited inherits the place of the one that woke it.
      try {
        signal.throwIfAborted();
        return await work(turn, mode, progress, signal);
      } catch (error) {
        const { share, tenant } = turn;
        const failure = signal.aborted
          ? new LeatError("INTERRUPTED", { message: "The share was stopped." })
          : toLeatError(error, turn);
        return failedReport(share.name, tenant.id, failure, (text) => text);
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
    async close() {
      const ended = [...all].map(({ child }) => once(child, "exit"));
      for (const { child } of all) child.kill("SIGKILL"); // They hold nothing: every turn has ended.
      await Promise.all(ended);
    },
  };
}

/** Waits for a message of that kind, for the death of the process, or until it is late. */
async function firstOf<Kind extends ShareReply["kind"]>(
  used: ShareProcess,
  kind: Kind,
  late: AbortSignal,
): Promise<Extract<ShareReply, { kind: Kind }>> {
  const { child } = used;
  const { promise, resolve, reject } = Promise.withResolvers<Extract<ShareReply, { kind: Kind }>>();
  const onMessage = (reply: ShareReply): void => {
    if (reply.kind === kind) resolve(reply as Extract<ShareReply, { kind: Kind }>); // Its kind was compared.
  };
  const onClose = (code: number | null, signal: string | null): void =>
    reject(new Error(`its process ended with ${signal ?? code}${used.stderr && `: ${used.stderr.trim()}`}`));
  const onLate = (): void => reject(late.reason);
  child.on("message", onMessage);
  child.once("close", onClose);
  late.addEventListener("abort", onLate, { once: true });
  try {
    return await promise;
  } finally {
    child.off("message", onMessage);
    child.off("close", onClose);
    late.removeEventListener("abort", onLate);
  }
}

function send(child: ChildProcess, request: ShareRequest): void {
  if (child.connected) child.send(request);
}

function toLeatError(error: unknown, { share, tenant }: ShareTurn): LeatError {
  const place = { share: share.name, tenant: tenant.id };
  if (error instanceof DOMException && error.name === "TimeoutError")
    return new LeatError("SHARE_DEADLINE", {
      message: `The share "${share.name}" for tenant ${tenant.id} did not end within its deadline, and its process was ended; what was committed stays.`,
      details: place,
    });
  const said = error instanceof Error ? error.message : String(error);
  return new LeatError("INTERNAL", {
    message: `The share "${share.name}" for tenant ${tenant.id}: ${said}.`,
    details: place,
    cause: error,
  });
}
