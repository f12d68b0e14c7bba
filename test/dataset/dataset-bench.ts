/** A place to build datasets in: a landing on disk, a warehouse, the engine, and files of which each line is a row. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { buildDataset } from "../../src/dataset/build-dataset.ts";
import type { BuildJob, BuildOutcome, BuildPorts } from "../../src/dataset/build-job.ts";
import { LeatError } from "../../src/errors/leat-error.ts";
import { readStagedPart } from "../../src/landing/part-reader.ts";
import { newRunId, toTenantId } from "../../src/model/ids.ts";
import type { LandedFile } from "../../src/model/landed-file.ts";
import type { BuildEvent, DatasetSpec } from "../../src/ports/dataset.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { TidyDeclaration, TidyReader } from "../../src/ports/tidy.ts";
import type { Warehouse } from "../../src/ports/warehouse.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { openDuckDbDatasets } from "../../src/warehouses/duckdb/dataset-engine.ts";
import { openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";

/** What a test says of a landed file beside its rows. */
export type FileFacts = Readonly<{
  fields?: Readonly<Record<string, string>>;
  lastModified?: string;
  tenant?: string;
}>;

/** A declaration for files whose lines are the tidy rows. */
export const readLinesOf = (...columns: string[]): TidyDeclaration => ({
  format: "ndjson",
  columns,
  options: {},
});

export class DatasetBench {
  readonly folder: string;
  readonly store: ObjectStore;
  readonly warehouse: Warehouse;
  readonly files: LandedFile[] = [];
  readonly events: BuildEvent[] = [];
  /** Names of files that a reader was asked to read. */
  readonly read: string[] = [];
  nowMs: number = Date.UTC(2026, 0, 15);

  private constructor(folder: string) {
    this.folder = folder;
    this.store = openFsStore(join(folder, "landing"));
    this.warehouse = openDuckDb(`duckdb:${join(folder, "warehouse.duckdb")}`, {
      quoteExact: quoteExactColumns,
      readPart: readStagedPart,
      threads: 2,
    });
  }

  static async open(folder?: string): Promise<DatasetBench> {
    return new DatasetBench(folder ?? (await mkdtemp(join(tmpdir(), "leat-dataset-"))));
  }

  /** Lands a version of a file, each row a line of it. */
  async land(name: string, rows: readonly unknown[], facts: FileFacts = {}): Promise<LandedFile> {
    const lines = rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`);
    return await this.landBytes(name, Buffer.from(lines.join("")), facts);
  }

  /** Lands a version of a file as it is. */
  async landBytes(name: string, body: Uint8Array, facts: FileFacts = {}): Promise<LandedFile> {
    const seq = this.files.length + 1;
    const objectKey = `landing/ons/workbooks/tenant=default/seq=${seq}/run=r/file-00001`;
    await this.store.create(objectKey, body);
    const file: LandedFile = {
      id: `https://ons.example/${name}`,
      tenant: toTenantId(facts.tenant ?? "default"),
      name,
      address: `https://ons.example/${name}`,
      fields: facts.fields ?? {},
      sha256: createHash("sha256").update(body).digest("hex"),
      bytes: body.byteLength,
      crc32c: "00000000",
      objectKey,
      seq,
      row: 0,
      version: this.files.filter((other) => other.name === name).length + 1,
      fetchedAt: new Date(this.nowMs).toISOString(),
      lastModified: facts.lastModified,
      contentType: undefined,
    };
    this.files.push(file);
    return file;
  }

  /** A reader for which a file is its rows, and one with the word `broken` none. */
  get reader(): TidyReader {
    return {
      version: "lines-1",
      read: async (job) => {
        this.read.push(job.name);
        const text = await readFile(job.path, "utf8");
        if (text.includes("broken")) {
          throw new LeatError("FILE_DAMAGED", { message: `${job.name} is broken.` });
        }
        await copyFile(job.path, job.rowsPath);
        const rowCount = text.split("\n").filter(Boolean).length;
        return { rowCount, report: { name: job.name, rows: rowCount } };
      },
    };
  }

  ports(changes: Partial<BuildPorts> = {}): BuildPorts {
    return {
      store: this.store,
      engine: openDuckDbDatasets({
        warehouse: { file: join(this.folder, "warehouse.duckdb") },
        lockWaitMs: 10_000,
      }),
      warehouse: this.warehouse,
      openReader: async () => this.reader,
      listFiles: async (stream, versions) => {
        const isNewest = (file: LandedFile) =>
          !this.files.some((other) => other.id === file.id && other.seq > file.seq);
        return { stream, files: this.files.filter((file) => versions === "all" || isNewest(file)) };
      },
      clock: { nowMs: () => this.nowMs, sleep: (ms, signal) => wait(ms, undefined, { signal }) },
      random: { newRunId, fraction: Math.random },
      workFolder: join(this.folder, "work"),
      progress: (event) => void this.events.push(event),
      ...changes,
    };
  }

  job(spec: DatasetSpec): BuildJob {
    return { spec, leatVersion: "0.0.0", readersMax: 2, conflictRetriesMax: 3 };
  }

  async build(spec: DatasetSpec, changes: Partial<BuildPorts> = {}): Promise<BuildOutcome> {
    const ports = this.ports(changes);
    await mkdir(ports.workFolder, { recursive: true });
    return await buildDataset(ports, this.job(spec), new AbortController().signal);
  }

  /** Rows of a query over the warehouse, as objects. */
  async query(sql: string): Promise<readonly Record<string, unknown>[]> {
    const { columns, rows } = await this.warehouse.query(sql);
    return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
  }

  /** Every key of the landing below a prefix. */
  async keys(prefix = ""): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list(prefix)) keys.push(key);
    return keys;
  }

  async dispose(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Gives a test a bench of its own. */
export async function withBench(run: (bench: DatasetBench) => Promise<void>): Promise<void> {
  const bench = await DatasetBench.open();
  try {
    await run(bench);
  } finally {
    await bench.dispose();
  }
}
