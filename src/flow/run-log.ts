/** The log of an attempt: lines are told at once and written in batches, in order, each once (F15). */
import { inspect } from "node:util";
import { isLeatError } from "../errors/leat-error.ts";
import type { JsonObject } from "../model/json-value.ts";
import type { Fence, LogLevel, NewLogLine } from "../model/run-record.ts";
import type { LogWriter } from "../ports/ledger.ts";
import { encodeValue } from "./encode-value.ts";
import type { RunLogger } from "./flow-context.ts";
import type { RunWorld } from "./run-world.ts";

/** How long a line may wait to be written, ms: what a process that dies loses. */
const batchMs = 250;

/** Lines of one write, so that no batch is long. */
const batchLinesMax = 1000;

/** Lines that wait while the ledger is away; later ones are counted and dropped. */
const waitingLinesMax = 20_000;

/** Lines of one attempt; later ones are counted and dropped, so that a loop does not fill the disk. */
const linesMax = 100_000;

/** Characters of a message and of its data. */
const messageLengthMax = 16 * 1024;
const dataLengthMax = 16 * 1024;

/** Writes an attempt's lines. */
export interface RunLog {
  write(level: LogLevel, taskKey: string | null, message: string, data?: JsonObject): void;
  /** A logger for code: of a task, or of the flow itself. */
  logger(taskKey: string | null): RunLogger;
  /** Resolves when all that was written before is in the ledger. */
  flush(): Promise<void>;
  /** Ends it: flushes, and takes no more. */
  close(): Promise<void>;
}

export function createRunLog(
  world: Pick<RunWorld, "ledger" | "clock" | "redact" | "tell">,
  fence: Fence,
  writer: LogWriter,
): RunLog {
  let waiting: NewLogLine[] = [];
  let seq = 0;
  let droppedCount = 0;
  let isClosed = false;
  let isFenced = false;
  let writing: Promise<void> = Promise.resolve();
  const stop = new AbortController();
  let isTimed = false;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0 && !isFenced) {
      const batch = waiting.slice(0, batchLinesMax);
      isFenced = (await world.ledger.appendLogs(fence, writer, batch)) === "fenced";
      waiting = waiting.slice(batch.length);
    }
    if (isFenced) waiting = [];
  };
  /** One write after the other: lines of a run are in the order of their ids. */
  const flush = (): Promise<void> => {
    writing = writing.catch(() => {}).then(drain); // The batch that failed is still waiting.
    return writing;
  };
  const flushSoon = (): void => {
    if (isTimed || isClosed) return;
    isTimed = true;
    world.clock.sleep(batchMs, stop.signal).then(
      () => {
        isTimed = false;
        flush().catch(() => {}); // The lines wait for the next flush; `close` tells of a ledger that stays away.
      },
      () => {},
    );
  };
  const append = (level: LogLevel, taskKey: string | null, message: string, data?: JsonObject): void => {
    seq += 1;
    const line: NewLogLine = {
      seq,
      atMs: world.ledger.nowMs(),
      level,
      taskKey,
      message: cut(world.redact(toText(message)), messageLengthMax),
      data: data === undefined ? null : keepData(data, world.redact),
    };
    waiting.push(line);
    world.tell({ type: "log", runId: fence.runId, line });
    flushSoon();
  };
  const write: RunLog["write"] = (level, taskKey, message, data) => {
    if (isClosed) return;
    if (seq >= linesMax || waiting.length >= waitingLinesMax) droppedCount += 1;
    else append(level, taskKey, message, data);
  };
  return {
    write,
    logger: (taskKey) => ({
      debug: (message, data) => write("debug", taskKey, message, data),
      info: (message, data) => write("info", taskKey, message, data),
      warn: (message, data) => write("warn", taskKey, message, data),
      error: (message, data) => write("error", taskKey, message, data),
    }),
    flush,
    async close() {
      if (droppedCount > 0) append("warn", null, `${droppedCount} more lines were not kept.`);
      droppedCount = 0;
      isClosed = true;
      stop.abort();
      await flush();
    },
  };
}

/** A line must not fail a task, whatever code without types hands over. */
const toText = (message: unknown): string => (typeof message === "string" ? message : inspect(message));

const cut = (text: string, lengthMax: number): string =>
  text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}… (${text.length} characters)`;

/** Data that is no plain JSON, or too much of it, is told as what it is: a line must not fail a task. */
function keepData(data: JsonObject, redact: (text: string) => string): JsonObject {
  try {
    const text = redact(encodeValue(data, "The data of a log line") ?? "{}");
    if (text.length > dataLengthMax) return { leftOut: `${text.length} characters` };
    return JSON.parse(text) as JsonObject; // What was encoded is an object; no secret's name has a quote in it.
  } catch (error) {
    return { leftOut: isLeatError(error) ? error.message : String(error) };
  }
}
