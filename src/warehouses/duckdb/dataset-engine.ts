/** Builds datasets in scratch files of DuckDB, beside the warehouse and never in it. */
import path from "node:path";
import type { DatasetRule, DatasetSpec } from "../../ports/dataset.ts";
import type {
  ColumnViolation,
  DatasetEngine,
  DatasetScratch,
  QueryFacts,
  RuleContext,
  RuleFinding,
  SettledKeys,
  WrittenPart,
} from "../../ports/dataset-engine.ts";
import { scratchTables } from "./dataset-columns.ts";
import { compareVersions } from "./dataset-diff.ts";
import { settleKeys } from "./dataset-keys.ts";
import { addOutsideQuery, type OutsideWarehouse } from "./dataset-outside.ts";
import { arrangeRows, partTextBytesDefault, writeParquet } from "./dataset-parquet.ts";
import { addQuery, addStaged, makeRawTable } from "./dataset-rows.ts";
import { runRule } from "./dataset-rules.ts";
import { readTypes } from "./dataset-types.ts";
import { type DuckDbSession, type DuckDbSettings, withDuckDb } from "./duckdb-file.ts";
import { quoteName } from "./sql-text.ts";

/** Where a dataset's query is run. */
export type WarehouseToQuery = Readonly<{ file: string }> | OutsideWarehouse;

/** How datasets are built. */
export type DatasetEngineOptions = Readonly<{
  /** The warehouse, for queries over it: the file of one of this engine's, or another that hands out its rows. */
  warehouse: WarehouseToQuery;
  /** How long another process's turn at the warehouse is waited for, ms. */
  lockWaitMs: number;
  /** What the engine may hold in memory, e.g. `512MB`; beyond it goes to disk. Default: the engine's own. */
  memoryLimit?: string | undefined;
  /** Threads of the engine. Default: one a core. */
  threads?: number | undefined;
  /** Text that a Parquet file holds at most, bytes, unless one row group holds more. Default 256 MiB. */
  partTextBytesMax?: number | undefined;
}>;

/** Opens the engine; nothing is touched before its first method is called. */
export function openDuckDbDatasets(options: DatasetEngineOptions): DatasetEngine {
  const settings: DuckDbSettings = {
    lockWaitMs: options.lockWaitMs,
    memoryLimit: options.memoryLimit,
    tempFolder: undefined,
    threads: options.threads,
  };
  return {
    async withScratch(spec, folder, signal, work) {
      const file = path.join(folder, "scratch.duckdb");
      return await withDuckDb(file, "write", settings, signal, async (session) => {
        await makeRawTable(session, spec);
        return await work(new DuckDbScratch(session, spec, { folder, signal, settings, options }));
      });
    },
    compareVersions: (before, after, { folder, samplesMax }, signal) =>
      compareVersions(before, after, { folder, samplesMax }, settings, signal),
  };
}

type Place = Readonly<{
  folder: string;
  signal: AbortSignal;
  settings: DuckDbSettings;
  options: DatasetEngineOptions;
}>;

class DuckDbScratch implements DatasetScratch {
  readonly #session: DuckDbSession;
  readonly #spec: DatasetSpec;
  readonly #place: Place;
  #arranged = { rowCount: 0, textBytes: 0 };

  constructor(session: DuckDbSession, spec: DatasetSpec, place: Place) {
    this.#session = session;
    this.#spec = spec;
    this.#place = place;
  }

  async addStaged(input: number, file: string): Promise<void> {
    await addStaged(this.#session, this.#spec, input, file);
  }

  async addQuery(input: number): Promise<QueryFacts> {
    const { folder, settings, options, signal } = this.#place;
    const { warehouse } = options;
    if ("file" in warehouse) {
      const job = { input, folder, warehouseFile: warehouse.file, settings };
      return await addQuery(this.#session, this.#spec, job, signal);
    }
    return await addOutsideQuery(this.#session, this.#spec, { input, folder, ...warehouse }, signal);
  }

  async readTypes(): Promise<readonly ColumnViolation[]> {
    return await readTypes(this.#session, this.#spec);
  }

  async settleKeys(): Promise<SettledKeys> {
    return await settleKeys(this.#session, this.#spec);
  }

  async arrange(): Promise<Readonly<{ rowCount: number; rowsHash: string }>> {
    const { rowCount, textBytes, rowsHash } = await arrangeRows(this.#session, this.#spec);
    this.#arranged = { rowCount, textBytes };
    // By this name the project's own SQL knows its rows.
    await this.#session.run(`CREATE VIEW ${quoteName(this.#spec.name)} AS FROM ${scratchTables.sorted}`);
    return { rowCount, rowsHash };
  }

  async runRule(rule: DatasetRule, context: RuleContext): Promise<RuleFinding> {
    return await runRule(this.#session, this.#spec, rule, context);
  }

  async writeParts(folder: string): Promise<readonly WrittenPart[]> {
    const { partTextBytesMax = partTextBytesDefault } = this.#place.options;
    return await writeParquet(this.#session, this.#spec, { ...this.#arranged, partTextBytesMax }, folder);
  }
}
