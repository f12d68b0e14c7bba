/**
 * The process that runs queries over dataset versions, so that no query can block the server or take it down. It is
 * started by `query-engine.ts` with an empty environment, takes calls over its channel and ends with it.
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { LeatError } from "../../errors/leat-error.ts";
import { keepInterrupting } from "./interrupt.ts";
import {
  type CallMessage,
  type QueryCalls,
  type QueryProcessSettings,
  type ReplyMessage,
  toSentError,
} from "./query-calls.ts";
import { readHead } from "./query-head.ts";
import { connect, QueryVersion } from "./query-version.ts";
import { type ServedFileJob, writeServedFile } from "./served-file.ts";

/** How often the parent is told how much memory there is, ms: it ends a process that has too much. */
const pulseMs = 200;

const versions = new Map<string, QueryVersion>();
/** Connections of calls that are being worked on; of one that is about to begin, whether it was stopped already. */
const running = new Map<number, DuckDBConnection | AbortController | "beginning" | "stopped">();
/** Ends the interrupts of calls that were stopped. */
const releases = new Map<number, () => void>();
let instance: DuckDBInstance | undefined;
let catalogs = 0;

const reply = (message: ReplyMessage): void => void process.send?.(message, undefined, undefined, () => {});

process.on("message", (message) => {
  const call = message as CallMessage; // Nobody else has the channel.
  if (call.name === "stop") stop(call.call);
  else void answer(call);
});
// Without the server nobody watches its memory, and nobody wants its answers.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
setInterval(() => reply({ residentBytes: process.memoryUsage.rss() }), pulseMs);

function stop(call: number): void {
  const connection = running.get(call);
  if (connection === undefined) return; // Its answer is on its way.
  if (typeof connection === "string") running.set(call, "stopped");
  else if (connection instanceof AbortController) connection.abort();
  else if (!releases.has(call)) releases.set(call, keepInterrupting(connection));
}

async function answer(message: Exclude<CallMessage, { name: "stop" }>): Promise<void> {
  const { call } = message;
  try {
    if (message.name === "start") {
      instance = await openInstance(message.asked);
      reply({ call, answer: undefined });
      return;
    }
    if (message.name === "readFile") {
      await readFile(call, message.asked);
      return;
    }
    if (instance === undefined)
      throw new LeatError("INTERNAL", { message: "The query process was not started." });
    running.set(call, "beginning");
    const connection = await connect(instance);
    try {
      if (running.get(call) === "stopped")
        throw new LeatError("INTERRUPTED", { message: "The query was stopped." });
      running.set(call, connection);
      reply({ call, answer: await work(connection, message) });
    } finally {
      running.delete(call);
      releases.get(call)?.();
      releases.delete(call);
      connection.closeSync();
    }
  } catch (error) {
    reply({ call, error: toSentError(error) });
  }
}

async function readFile(call: number, job: ServedFileJob): Promise<void> {
  const controller = new AbortController();
  running.set(call, controller);
  try {
    reply({ call, answer: await writeServedFile(job, controller.signal) });
  } finally {
    running.delete(call);
  }
}

async function openInstance(settings: QueryProcessSettings): Promise<DuckDBInstance> {
  return await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    memory_limit: `${settings.memoryBytesMax}B`,
    threads: String(settings.threads),
    temp_directory: settings.folder,
    max_temp_directory_size: `${settings.spillBytesMax}B`,
  });
}

async function work(
  connection: DuckDBConnection,
  message: Exclude<CallMessage, { name: "stop" | "start" | "readFile" }>,
): Promise<QueryCalls[Exclude<CallMessage["name"], "stop">]["answer"]> {
  switch (message.name) {
    case "load": {
      const { version, layout } = await QueryVersion.load(connection, `v${++catalogs}`, message.asked);
      versions.set(message.asked.id, version);
      return layout;
    }
    case "readHead":
      return await readHead(connection, message.asked);
    case "attach":
      versions.set(message.asked.id, await QueryVersion.attach(connection, `v${++catalogs}`, message.asked));
      return undefined;
    case "drop": {
      const version = versions.get(message.asked.id);
      versions.delete(message.asked.id);
      await version?.detach(connection);
      return undefined;
    }
    default:
      break;
  }
  const version = versions.get(message.asked.id);
  if (version === undefined)
    throw new LeatError("QUERY_ENGINE_LOST", {
      message: "The query process does not have this version (any more).",
    });
  switch (message.name) {
    case "findRows":
      return await version.findRows(connection, message.asked.query);
    case "writeRowNumbers":
      return await version.writeRowNumbers(connection, message.asked.selection, message.asked.path);
    case "aggregate":
      return await version.aggregate(connection, message.asked.query);
    case "facet":
      return await version.facet(connection, message.asked.query);
    case "writeFile":
      await version.writeFile(connection, message.asked.query, message.asked.path);
      return undefined;
  }
}
