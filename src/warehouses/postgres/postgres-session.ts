/**
 * One connection for one operation, in one transaction.
 *
 * Everything of a session is set for its transaction alone, and locks are the transaction's, so that a pooler which
 * hands connections on between transactions is no matter. Whatever fails ends the connection at once: the server then
 * undoes the transaction, and nothing depends on a ROLLBACK that may not arrive.
 */
import type { Duplex } from "node:stream";
import type pg from "pg";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import { isConnectionLost, toLeatError } from "./postgres-errors.ts";
import { quoteName } from "./sql-text.ts";

/** A row by column name, as the server's text. */
export type TextRow = Readonly<Record<string, string | null>>;

/** How the server is used; defaults in `openPostgres`. */
export type PostgresSettings = Readonly<{
  address: PostgresAddress;
  /** How long another's lock is waited for, ms. */
  lockWaitMs: number;
  /** How long a query may take, ms; loads have no such bound. */
  queryMsMax: number;
}>;

/** One open transaction. Valid inside the callback of {@link withPostgres} only. */
export type PostgresSession = Readonly<{
  client: pg.Client;
  address: PostgresAddress;
  /** Runs a statement; the number of rows it changed. */
  run(sql: string): Promise<number>;
  rows(sql: string): Promise<readonly TextRow[]>;
  /** Streams chunks into a `COPY … FROM STDIN`; the number of rows. */
  copyIn(sql: string, chunks: AsyncIterable<Uint8Array>): Promise<number>;
}>;

/** `load`: writes, waits for locks. `read`: one snapshot, changes nothing. `query`: read, for a bounded time. */
export type SessionMode = "load" | "read" | "query";

/** How long a connection may take to open, ms: TLS over the Atlantic takes one second. */
const connectMsMax = 10_000;

/** How often a statement's cancelling is asked for before its connection is ended: three seconds. */
const cancelTries = { count: 30, pauseMs: 100 } as const;

/** A transaction whose client says nothing for so long is undone by the server, ms: a paused process holds locks. */
const idleMsMax = 15 * 60_000;

/** The commit was sent and its answer never came. Never leaves this folder. */
export class CommitUnanswered extends Error {
  constructor(cause: unknown) {
    super("the answer to a commit was lost", { cause });
  }
}

/**
 * Opens a transaction, does `work`, commits.
 *
 * @throws LeatError `WAREHOUSE_UNREACHABLE`, `WAREHOUSE_UNREADABLE`, `WAREHOUSE_LOCKED`, `WAREHOUSE_FULL`,
 *   `LOAD_FAILED`, `DEPENDENCY_MISSING`, `INTERRUPTED`; {@link CommitUnanswered} in mode `load`; what `work` throws
 *   passes through.
 */
export async function withPostgres<Result>(
  settings: PostgresSettings,
  mode: SessionMode,
  signal: AbortSignal | undefined,
  work: (session: PostgresSession) => Promise<Result>,
): Promise<Result> {
  throwIfStopped(signal);
  const { address } = settings;
  const { client, destroy } = await connect(address);
  let isEnded = false;
  const stop = () =>
    void stopStatement(address, client, () => isEnded).finally(() => (isEnded ? undefined : destroy()));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    throwIfStopped(signal); // Before anybody listened.
    await client.query(beginSql(settings, mode));
    const result = await work(toSession(client, address, signal));
    throwIfStopped(signal);
    await commit(client, mode);
    isEnded = true;
    await client.end().catch(() => undefined); // It is committed; a connection that breaks now is no matter.
    return result;
  } catch (error) {
    isEnded = true;
    destroy();
    if (error instanceof CommitUnanswered) throw error;
    // The server says only that it was told to stop, if it says so before its connection is closed.
    if (!isLeatError(error) || error.code === "QUERY_FAILED") throwIfStopped(signal);
    throw isOurs(error) ? error : toLeatError(error, address.url);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Errors that are neither the server's nor the connection's: of this machine's files, or broken promises of our code. */
function isOurs(error: unknown): boolean {
  if (isLeatError(error)) return true;
  if (error instanceof Error && "path" in error) return true;
  return error instanceof Error && !("code" in error) && !("severity" in error) && !isConnectionLost(error);
}

async function commit(client: pg.Client, mode: SessionMode): Promise<void> {
  try {
    const { command } = await client.query("COMMIT");
    // A transaction that has failed answers a COMMIT with ROLLBACK, and no error.
    if (command !== "COMMIT") throw new Error(`the server answered a commit with ${command}`);
  } catch (error) {
    throw mode === "load" && isConnectionLost(error) ? new CommitUnanswered(error) : error;
  }
}

function beginSql({ address, lockWaitMs, queryMsMax }: PostgresSettings, mode: SessionMode): string {
  const settings = [
    ["TimeZone", "UTC"],
    ["DateStyle", "ISO, YMD"],
    ["extra_float_digits", "1"],
    ["standard_conforming_strings", "on"],
    ["client_encoding", "UTF8"],
    ["lock_timeout", String(Math.max(1, Math.round(lockWaitMs)))], // 0 would wait for ever.
    ["statement_timeout", mode === "query" ? String(queryMsMax) : "0"],
    ["idle_in_transaction_session_timeout", String(idleMsMax)],
  ].map(([name, value]) => `SET LOCAL ${name} = '${value}'`);
  const isolation = mode === "load" ? "READ WRITE" : "ISOLATION LEVEL REPEATABLE READ READ ONLY";
  const searchPath = `SET LOCAL search_path = ${quoteName(address.schema)}, pg_catalog, public`;
  return [`BEGIN ${isolation}`, searchPath, ...settings].join("; ");
}

async function importPg(): Promise<typeof pg> {
  try {
    return (await import("pg")).default;
  } catch (cause) {
    throw missing("pg", cause);
  }
}

function missing(name: string, cause: unknown): LeatError {
  return new LeatError("DEPENDENCY_MISSING", {
    message: `The client of postgres:// warehouses, ${name}, cannot be loaded.`,
    hint: "Run `npm install pg pg-copy-streams`.",
    cause,
  });
}

async function connect(address: PostgresAddress): Promise<{ client: pg.Client; destroy: () => void }> {
  const { Client } = await importPg();
  const client = new Client({
    connectionString: address.connectionString,
    application_name: "leat warehouse",
    connectionTimeoutMillis: connectMsMax,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // Text as the server writes it: the client's own reading rounds numbers and cuts times.
    types: { getTypeParser: () => (text: string) => text },
  });
  client.on("error", () => {}); // Whoever waits for a statement is told; between two there is nobody.
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw toLeatError(error, address.url);
  }
  return { client, destroy: () => socketOf(client).destroy() };
}

/** The client's types hide its connection. */
function socketOf(client: pg.Client): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream;
}

/**
 * Has the server end the connection's statement, by another connection, until the transaction is over. Never throws.
 *
 * Again and again: a cancelling that comes between two statements is lost, and the next would go on with nobody waiting.
 */
async function stopStatement(
  address: PostgresAddress,
  client: pg.Client,
  isOver: () => boolean,
): Promise<void> {
  const { processID } = client as unknown as { processID: number | null }; // The types lack it.
  if (processID === null) return;
  try {
    const other = await connect(address);
    try {
      for (let tries = 0; tries < cancelTries.count && !isOver(); tries += 1) {
        await other.client.query(`SELECT pg_cancel_backend(${Number(processID)})`);
        await new Promise((resolve) => setTimeout(resolve, cancelTries.pauseMs).unref());
      }
      if (!isOver()) await other.client.query(`SELECT pg_terminate_backend(${Number(processID)})`);
    } finally {
      await other.client.end();
    }
  } catch {
    // Then the connection is ended without, and the server finds out when its statement is done.
  }
}

/** @throws LeatError `INTERRUPTED` once the signal is aborted. */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new LeatError("INTERRUPTED", {
    message: "The warehouse's work was stopped; what was not committed is undone.",
    cause: signal.reason,
  });
}

function toSession(
  client: pg.Client,
  address: PostgresAddress,
  signal: AbortSignal | undefined,
): PostgresSession {
  return {
    client,
    address,
    async run(sql) {
      throwIfStopped(signal);
      return (await client.query(sql)).rowCount ?? 0;
    },
    async rows(sql) {
      throwIfStopped(signal);
      return (await client.query<TextRow>(sql)).rows;
    },
    copyIn: (sql, chunks) => copyIn(client, sql, chunks, signal),
  };
}

/**
 * Chunks of a COPY that may wait to be sent while the next is made: the server works on what it has meanwhile. Whoever
 * makes chunks leaves each as it is until so many more were asked for.
 */
export const chunksAheadMax = 4;

/**
 * Writes chunks as fast as the server takes them; the stream must not be written to once it has failed.
 * Not by `pipeline`: when either side fails, the connection is ended anyway, and a stream that waits for the server's
 * answer to its own end would wait for ever.
 */
async function copyIn(
  client: pg.Client,
  sql: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const from = await importCopyFrom();
  const stream = client.query(from(sql));
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // Whoever waits at that moment is told.
  let failure: unknown;
  stream.once("error", (error) => {
    failure = error;
    failed.reject(error);
  });
  stream.on("error", () => {}); // What comes after the first is its consequence.
  const sent: Promise<void>[] = [];
  for await (const chunk of chunks) {
    throwIfStopped(signal);
    if (failure !== undefined) throw failure;
    const drained = Promise.withResolvers<void>();
    stream.write(chunk, () => drained.resolve());
    sent.push(drained.promise);
    if (sent.length === chunksAheadMax) await Promise.race([sent.shift(), failed.promise]);
  }
  if (failure !== undefined) throw failure;
  const finished = Promise.withResolvers<void>();
  stream.once("finish", finished.resolve);
  stream.end();
  await Promise.race([finished.promise, failed.promise]);
  return stream.rowCount;
}

async function importCopyFrom() {
  try {
    return (await import("pg-copy-streams")).from;
  } catch (cause) {
    throw missing("pg-copy-streams", cause);
  }
}
