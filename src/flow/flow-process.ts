/** One process of flows as its worker sees it: started, handed an attempt, ended. */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { WorkerId } from "../model/run-ids.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { ProcessReply, ProcessRequest } from "./process-messages.ts";

/** Characters of a line that is kept; a flow that writes megabytes without a line's end must not fill the worker. */
const lineLengthMax = 16 * 1024;

/** Lines that are kept of a process that could not begin. */
const wordsMax = 20;

/** How a process came to its end. */
export type ProcessExit = Readonly<{ code: number | null; signal: NodeJS.Signals | null; words: string }>;

/** What a process writes: an output and a line of it. */
export type OutputLine = Readonly<{ from: "stdout" | "stderr"; text: string }>;

/** A process of flows. */
export interface FlowProcess {
  readonly isOver: boolean;
  /** Runs that it has executed. */
  runCount: number;
  /** Resolves when it can be handed a run, or with its end. */
  readonly begun: Promise<"ready" | ProcessExit>;
  /** Resolves when it is gone and all that it wrote was read. */
  readonly exited: Promise<ProcessExit>;
  /** Hands a run over. */
  run(run: FlowRun, workerId: WorkerId): void;
  /** Resolves when all that the run handed over last has written was read; also with the end of the process. */
  readonly drained: Promise<void>;
  send(request: Exclude<ProcessRequest, { kind: "run" }>): void;
  /** Hears replies and lines until the next one listens. */
  listen(listener: FlowProcessListener): void;
  kill(signal: NodeJS.Signals): void;
}

export type FlowProcessListener = Readonly<{
  onReply: (reply: ProcessReply) => void;
  onLine: (line: OutputLine) => void;
}>;

const outputs = ["stdout", "stderr"] as const;

const deaf: FlowProcessListener = { onReply: () => {}, onLine: () => {} };

/** Watches a process that was forked with pipes for its output. */
export function watchFlowProcess(child: ChildProcess): FlowProcess {
  let listener = deaf;
  const words: string[] = [];
  const exit = Promise.withResolvers<ProcessExit>();
  const ready = Promise.withResolvers<"ready">();
  let isOver = false;
  const mark = `leat-end-${randomUUID()}`;
  let drained = Promise.withResolvers<void>();
  let markCount = 0;
  const noteMark = (): void => {
    markCount += 1;
    if (markCount === outputs.length) drained.resolve();
  };
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    isOver = true;
    drained.resolve();
    exit.resolve({ code, signal, words: words.join("\n") });
  };
  const hear = (from: OutputLine["from"], text: string): void => {
    words.push(text);
    if (words.length > wordsMax) words.shift();
    listener.onLine({ from, text });
  };
  for (const from of outputs) {
    const output = child[from];
    if (output !== null) readLines(output, mark, { onLine: (text) => hear(from, text), onMark: noteMark });
  }
  child.on("message", (reply: ProcessReply) => {
    if (reply.kind === "ready") ready.resolve("ready");
    else listener.onReply(reply);
  });
  child.on("error", (error) => {
    hear("stderr", error.message);
    if (child.pid === undefined) end(null, null); // It never began.
  });
  child.on("close", end);
  const send = (request: ProcessRequest): void => {
    if (child.connected) child.send(request, () => {}); // One that is gone says so by its end.
  };
  return {
    get isOver() {
      return isOver;
    },
    runCount: 0,
    begun: Promise.race([ready.promise, exit.promise]),
    exited: exit.promise,
    get drained() {
      return drained.promise;
    },
    run(run, workerId) {
      drained = Promise.withResolvers<void>();
      markCount = 0;
      send({ kind: "run", run, workerId, mark });
    },
    send,
    listen(next) {
      listener = next;
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

/** Tells of each line; one that is too long comes in pieces. A mark ends the line that it stands in, and is none. */
function readLines(
  output: Readable,
  mark: string,
  tell: Readonly<{ onLine: (text: string) => void; onMark: () => void }>,
): void {
  let rest = "";
  const tellPieces = (line: string): void => {
    for (let from = 0; from === 0 || from < line.length; from += lineLengthMax) {
      tell.onLine(line.slice(from, from + lineLengthMax));
    }
  };
  const tellLine = (line: string): void => {
    const isMarked = line.endsWith(mark);
    const text = isMarked ? line.slice(0, -mark.length) : line.replace(/\r$/, "");
    if (!isMarked || text !== "") tellPieces(text);
    if (isMarked) tell.onMark();
  };
  output.setEncoding("utf8");
  output.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) tellLine(line);
    if (rest.length < lineLengthMax + mark.length) return;
    tellPieces(rest.slice(0, -mark.length)); // The mark may have begun.
    rest = rest.slice(-mark.length);
  });
  output.on("end", () => {
    if (rest !== "") tellPieces(rest);
  });
}
