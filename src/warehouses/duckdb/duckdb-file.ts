/**
 * The engine's file, opened late and closed early.
 *
 * A DuckDB file belongs to one process at a time while it is written, and to readers only while it is not. leat holds
 * it for one operation and no longer: another process's turn is waited for with growing pauses, and operations of this
 * process queue up, since two instances of one file in one process would destroy each other's work (and the POSIX locks
 * of a process vanish when any of its descriptors of the file is closed).
 */
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from "@duckdb/node-api";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { isLockError, toLeatError } from "./engine-errors.ts";
import { keepInterrupting } from "./interrupt.ts";
import { makeDatabase } from "./make-database.ts";
import { quoteText } from "./sql-text.ts";

/** Settings of the engine; all have defaults in {@link openDuckDb}. */
export type DuckDbSettings = Readonly<{
  lockWaitMs: number;
  memoryLimit: string | undefined;
  tempFolder: string | undefined;
  threads: number | undefined;
  /** Where operations on the file leave the engine for the next one; by default each has one of its own. */
  kept?: KeptEngine | undefined;
}>;

/** A row by column name, as the engine's JavaScript values (64-bit integers are bigint). */
export type EngineRow = Readonly<Record<string, DuckDBValue>>;

/** One open connection. Valid inside the callback of {@link withDuckDb} only. */
export type DuckDbSession = Readonly<{
  connection: DuckDBConnection;
  /** Runs a statement; the number of rows it changed. */
  run(sql: string): Promise<number>;
  rows(sql: string): Promise<readonly EngineRow[]>;
}>;

/** First and longest pause between two tries for the lock, ms: a load takes tens of ms to minutes. */
const pauseMs = { first: 10, longest: 250 } as const;

const turns = new Map<string, Promise<void>>();

/**
 * Opens the file, does `work`, closes it.
 *
 * @param mode - `read` opens read-only; where there is no file yet, `work` sees an empty database in memory, so that
 *   asking never creates a file.
 * @throws LeatError `WAREHOUSE_LOCKED`, `WAREHOUSE_UNREADABLE`, `WAREHOUSE_FULL`, `DEPENDENCY_MISSING`, `INTERRUPTED`;
 *   what `work` throws passes through.
 */
export async function withDuckDb<Result>(
  file: string,
  mode: "read" | "write",
  settings: DuckDbSettings,
  signal: AbortSignal | undefined,
  work: (session: DuckDbSession) => Promise<Result>,
): Promise<Result> {
  return await inTurn(file, signal, async () => {
    const engine = settings.kept?.take() ?? (await openEngine(file, settings));
    const { connection } = engine;
    let release = (): void => {};
    const interrupt = () => {
      release = keepInterrupting(connection);
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    let isAttached = false;
    let isWell = false;
    try {
      throwIfStopped(signal); // While the engine was made.
      await attach(connection, file, mode, settings, signal);
      isAttached = true;
      const result = await work(toSession(connection, file, signal));
      isWell = true;
      return result;
    } catch (error) {
      if (!isAttached || !isLeatError(error)) throwIfStopped(signal); // The engine says only that it was interrupted.
      throw error;
    } finally {
      signal?.removeEventListener("abort", interrupt);
      release();
      if (isWell && settings.kept !== undefined && (await detach(connection))) settings.kept.put(engine);
      else closeEngine(engine);
    }
  });
}

type Engine = Readonly<{
  instance: DuckDBInstance;
  connection: DuckDBConnection;
  /** What the process held in memory before it. */
  processBytesBefore: number;
}>;

/**
 * By how much the process may have grown since an engine was made for it to be kept, bytes. What an engine has freed goes
 * back to the system when it ends: one kept after half a million rows held 160 MB of nothing, to which the next operation
 * added its own. Small operations, for which engines are kept, take some 10 MB.
 */
const keptBytesMax = 64 * 1024 * 1024;

/**
 * Keeps an engine from one operation on a file to the next, for it takes longer to make than a small operation does. The
 * file itself is closed in between as ever. One that has met an error, or has taken much memory, is not kept.
 */
export class KeptEngine {
  #engine: Engine | undefined;
  #isClosed = false;

  take(): Engine | undefined {
    const engine = this.#engine;
    this.#engine = undefined;
    return engine;
  }

  put(engine: Engine): void {
    const grownBytes = process.memoryUsage.rss() - engine.processBytesBefore;
    if (this.#isClosed || grownBytes > keptBytesMax) closeEngine(engine);
    else this.#engine = engine;
  }

  /** An operation that is still under way ends its engine itself. */
  close(): void {
    this.#isClosed = true;
    const engine = this.take();
    if (engine !== undefined) closeEngine(engine);
  }
}

function closeEngine({ instance, connection }: Engine): void {
  connection.closeSync();
  instance.closeSync();
}

/** Gives the file back; whether that went well. */
async function detach(connection: DuckDBConnection): Promise<boolean> {
  try {
    await connection.run(`ATTACH IF NOT EXISTS ':memory:' AS ${idleName}`);
    await connection.run(`USE ${idleName}`);
    await connection.run(`DETACH DATABASE IF EXISTS ${catalogName}`);
    return true;
  } catch {
    return false; // What was committed is; an engine that ends gives the file back in any case.
  }
}

/** Runs `work` when all earlier operations of this process on the file have ended. */
async function inTurn<Result>(
  file: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const place = resolvePlace(file);
  const before = turns.get(place) ?? Promise.resolve();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const mine = before.then(() => ended);
  turns.set(place, mine);
  try {
    await untilStopped(before, signal);
    return await work();
  } finally {
    end();
    void mine.then(() => turns.get(place) === mine && turns.delete(place));
  }
}

/** Waits for `ended`, but no longer than until the signal is aborted. */
async function untilStopped(ended: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  throwIfStopped(signal);
  if (signal === undefined) return await ended;
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const onAbort = () => stop();
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([ended, stopped]);
  signal.removeEventListener("abort", onAbort);
  throwIfStopped(signal);
}

/** One name for a file, however it was written: links of the folder are followed. */
function resolvePlace(file: string): string {
  const absolute = path.resolve(file);
  if (existsSync(absolute)) return realpathSync(absolute);
  const folder = path.dirname(absolute);
  return existsSync(folder) ? path.join(realpathSync(folder), path.basename(absolute)) : absolute;
}

/** An engine without any file yet. */
async function openEngine(file: string, settings: DuckDbSettings): Promise<Engine> {
  const { DuckDBInstance } = await importEngine();
  const options: Record<string, string> = {
    // Only what is built in (json, parquet, icu): nothing is fetched at run time.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  };
  if (settings.memoryLimit !== undefined) options["memory_limit"] = settings.memoryLimit;
  // An engine without a file would spill into the working folder.
  options["temp_directory"] = settings.tempFolder ?? `${file}.tmp`;
  if (settings.threads !== undefined) options["threads"] = String(settings.threads);
  const processBytesBefore = process.memoryUsage.rss();
  const instance = await DuckDBInstance.create(":memory:", options);
  return { instance, connection: await instance.connect(), processBytesBefore };
}

/**
 * Names the file's catalog. Opened directly, a file gives its own name to the catalog, and then `metrc.duckdb` makes
 * every mention of the schema `metrc` ambiguous; no source can be called like this one.
 */
export const catalogName = "_leat";

/** The empty catalog of a kept engine; see {@link catalogName}. */
const idleName = "_leat_idle";

/** Attaches the file as soon as no other process holds it. */
async function attach(
  connection: DuckDBConnection,
  file: string,
  mode: "read" | "write",
  settings: DuckDbSettings,
  signal: AbortSignal | undefined,
): Promise<void> {
  await connection.run("SET TimeZone = 'UTC'");
  // Rows carry their number; saves memory.
  await connection.run(`SET preserve_insertion_order = ${mode === "read"}`);
  if (!existsSync(file)) {
    if (mode === "read") return;
    await makeFile(connection, file);
  }
  const sql = `ATTACH ${quoteText(file)} AS ${catalogName} (${mode === "read" ? "READ_ONLY" : "READ_WRITE"})`;
  const deadlineMs = performance.now() + settings.lockWaitMs;
  for (let waitMs: number = pauseMs.first; ; waitMs = Math.min(waitMs * 1.6, pauseMs.longest)) {
    throwIfStopped(signal);
    try {
      await connection.run(sql);
      break;
    } catch (error) {
      if (!isLockError(error)) throw toLeatError(error, { file, doing: "open" });
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw toLeatError(error, { file, doing: "open", waitedMs: settings.lockWaitMs });
      // Jitter, so that two waiting processes do not meet again and again.
      await pause(Math.min(waitMs * (0.5 + Math.random()), leftMs + 1), signal);
    }
  }
  await connection.run(`USE ${catalogName}`);
  await connection.run("DETACH DATABASE IF EXISTS memory"); // Or a source called "memory" would be ambiguous.
}

async function importEngine() {
  try {
    return await import("@duckdb/node-api");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "The engine of duckdb: warehouses, @duckdb/node-api, cannot be loaded.",
      hint: "Run `npm install @duckdb/node-api@1.5.5-r.5`.",
      cause,
    });
  }
}

async function makeFile(connection: DuckDBConnection, file: string): Promise<void> {
  try {
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    await makeDatabase(connection, file);
  } catch (error) {
    throw toLeatError(error, { file, doing: "open" });
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throwIfStopped(signal);
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
  connection: DuckDBConnection,
  file: string,
  signal: AbortSignal | undefined,
): DuckDbSession {
  const guarded = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    throwIfStopped(signal);
    try {
      return await act();
    } catch (error) {
      throwIfStopped(signal); // The engine says only that it was interrupted.
      throw toLeatError(error, { file, doing: "work" });
    }
  };
  return {
    connection,
    run: (sql) => guarded(async () => (await connection.run(sql)).rowsChanged),
    rows: (sql) => guarded(async () => (await connection.runAndReadAll(sql)).getRowObjects()),
  };
}
