/** One process of flows as its worker sees it: started, handed an attempt, ended. */
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
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
  send(request: ProcessRequest): void;
  /** Hears replies and lines until the next one listens. */
  listen(listener: FlowProcessListener): void;
  kill(signal: NodeJS.Signals): void;
}

export type FlowProcessListener = Readonly<{
  onReply: (reply: ProcessReply) => void;
  onLine: (line: OutputLine) => void;
}>;

const deaf: FlowProcessListener = { onReply: () => {}, onLine: () => {} };

/** Watches a process that was forked with pipes for its output. */
export function watchFlowProcess(child: ChildProcess): FlowProcess {
  let listener = deaf;
  const words: string[] = [];
  const exit = Promise.withResolvers<ProcessExit>();
  const ready = Promise.withResolvers<"ready">();
  let isOver = false;
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    isOver = true;
    exit.resolve({ code, signal, words: words.join("\n") });
  };
  const hear = (from: OutputLine["from"], text: string): void => {
    words.push(text);
    if (words.length > wordsMax) words.shift();
    listener.onLine({ from, text });
  };
  for (const from of ["stdout", "stderr"] as const) {
    const output = child[from];
    if (output !== null) readLines(output, (text) => hear(from, text));
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
  return {
    get isOver() {
      return isOver;
    },
    runCount: 0,
    begun: Promise.race([ready.promise, exit.promise]),
    exited: exit.promise,
    send(request) {
      if (child.connected) child.send(request, () => {}); // One that is gone says so by its end.
    },
    listen(next) {
      listener = next;
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

/** Tells of each line; one that is too long comes in pieces. */
function readLines(output: Readable, tell: (text: string) => void): void {
  let rest = "";
  const tellPieces = (line: string): void => {
    for (let from = 0; from === 0 || from < line.length; from += lineLengthMax) {
      tell(line.slice(from, from + lineLengthMax));
    }
  };
  output.setEncoding("utf8");
  output.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) tellPieces(line.replace(/\r$/, ""));
    if (rest.length < lineLengthMax) return;
    tellPieces(rest);
    rest = "";
  });
  output.on("end", () => {
    if (rest !== "") tellPieces(rest);
  });
}
