/** Kysely's SQLite dialect on node's own SQLite. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from "kysely";

/** Statements kept prepared, by their text; the ledger has some hundred of them. */
const statementsMax = 400;

/** How long SQLite itself waits for a lock, ms: it blocks the event loop meanwhile, so longer waits are asynchronous. */
const busyTimeoutMs = 250;

/** Opens a database that several processes write to. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    // WAL: readers and a writer do not wait for each other. NORMAL: a power cut may undo the last commits, whose tasks
    // then run again, as they may anyway; the death of a process undoes nothing.
    database.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = off");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * A mark that is another one when anything was written since: the file's version for what other connections commit, the
 * count of changed rows for this one's. Takes some 10 µs and no lock.
 *
 * @see https://sqlite.org/pragma.html#pragma_data_version
 */
export function markOf(database: DatabaseSync): () => string | undefined {
  const others = database.prepare("pragma data_version");
  const own = database.prepare("select total_changes() as count");
  return () => {
    try {
      return `${others.get()?.["data_version"]} ${own.get()?.["count"]}`;
    } catch {
      return undefined; // Whoever asks looks for himself then, and is told what is wrong.
    }
  };
}

/** The dialect over an open database, which the caller closes. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  const config = { database: toKyselyDatabase(database) };
  const dialect = new SqliteDialect(config);
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new ImmediateDriver(config, database),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

/**
 * Begins every transaction as a writer. One that reads first and writes later would be refused at its first write when
 * another has written meanwhile, at once and without waiting.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(config: ConstructorParameters<typeof SqliteDriver>[0], database: DatabaseSync) {
    super(config);
    this.#database = database;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** A full disk ends a transaction by itself; to end it again would fail, and hide what had happened. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/**
 * What Kysely expects of a database, over node's.
 *
 * Kysely asks a statement whether it is a `reader`, which node's statements do not tell: without this every select would
 * give no rows and no error. A statement that has columns gives rows.
 */
function toKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = prepared.get(sql);
      if (known !== undefined) return known;
      const statement = toKyselyStatement(database.prepare(sql));
      if (prepared.size >= statementsMax) prepared.clear();
      prepared.set(sql, statement);
      return statement;
    },
  };
}

function toKyselyStatement(statement: StatementSync): SqliteStatement {
  // The values of queries are made by leat: text, numbers and nulls.
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}
