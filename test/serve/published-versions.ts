/** Dataset versions for tests: rows become Parquet and a manifest in a store, as a build leaves them. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { DatasetManifest, PublishedColumn, PublishedSchema } from "../../src/model/dataset-manifest.ts";
import type { PublishedDatasets, VersionEntry } from "../../src/ports/dataset-query.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";

/** A value of a row, as text that the column's type reads; `null`. */
export type Cell = string | null;
export type Row = readonly Cell[];

/** A column; most of what is published of one is the same in every test. */
export const column = (name: string, type: string, more: Partial<PublishedColumn> = {}): PublishedColumn => ({
  name,
  type,
  isNullable: false,
  description: null,
  unit: null,
  examples: [],
  ...more,
});

export const schemaOf = (
  columns: readonly PublishedColumn[],
  more: Partial<PublishedSchema> = {},
): PublishedSchema => {
  const key = more.key ?? [columns[0]!.name];
  return { description: "A dataset.", licence: null, columns, key, sort: key, tenantColumn: null, ...more };
};

const engineNames: Readonly<Record<string, string>> = { text: "VARCHAR" };
const engineType = (type: string): string => engineNames[type] ?? type.toUpperCase();
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A log of versions in a store, and the port that serving reads it by. */
export class PublishedVersions implements PublishedDatasets {
  readonly store: ObjectStore;
  readonly entries: Map<string, DatasetManifest[]> = new Map();

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** Numbers of entries whose files are not kept any more. */
  readonly #collected = new Set<string>();

  async newestSeq(dataset: string): Promise<number | undefined> {
    return this.entries.get(dataset)?.at(-1)?.seq;
  }

  async readEntry(dataset: string, seq: number): Promise<DatasetManifest> {
    return this.entries.get(dataset)!.find((entry) => entry.seq === seq)!;
  }

  async listVersions(dataset: string): Promise<readonly VersionEntry[]> {
    const entries = this.entries.get(dataset) ?? [];
    return [...entries].reverse().map(({ version, seq, rowCount, builtAt }) => {
      return { version, seq, rowCount, builtAt, isKept: !this.#collected.has(`${dataset} ${seq}`) };
    });
  }

  /** Says that an entry's files are not kept any more. */
  collect(dataset: string, seq: number): void {
    this.#collected.add(`${dataset} ${seq}`);
  }

  /** Keeps of a long log only its newest entry and the two before. */
  async forget(dataset: string): Promise<void> {
    const entries = this.entries.get(dataset)!;
    this.entries.set(dataset, entries.slice(-3));
    for (const { parts } of entries.slice(0, -3)) for (const { key } of parts) await this.store.delete(key);
  }

  /** Damages the only part of the newest version, or what its manifest says of it. */
  async damage(dataset: string, how: "cut" | "changed" | "longer" | "missing" | "miscounted"): Promise<void> {
    const entries = this.entries.get(dataset)!;
    const newest = entries.at(-1)!;
    const [part] = newest.parts;
    if (how === "miscounted") {
      this.entries.set(dataset, [...entries.slice(0, -1), { ...newest, rowCount: newest.rowCount + 1 }]);
      return;
    }
    const bytes = Buffer.from((await this.store.read(part!.key))!);
    await this.store.delete(part!.key);
    if (how === "missing") return;
    if (how === "changed") bytes[bytes.length >> 1]! ^= 1;
    const kept = how === "cut" ? bytes.subarray(0, bytes.length >> 1) : bytes;
    await this.store.create(part!.key, how === "longer" ? Buffer.concat([kept, Buffer.from("x")]) : kept);
  }

  /** Publishes rows: sorted as the schema says, in parts of at most `partRows`. */
  async publish(
    dataset: string,
    schema: PublishedSchema,
    rows: readonly Row[],
    partRows = 1_000_000,
  ): Promise<DatasetManifest> {
    const folder = await mkdtemp(join(tmpdir(), "leat-versions-"));
    try {
      const paths = await writeParts(schema, rows, partRows, folder);
      const entries = this.entries.get(dataset) ?? [];
      const seq = (entries.at(-1)?.seq ?? 0) + 1;
      const buildId = `${seq}-test`;
      const parts = [];
      for (const [at, { path, rows: held }] of paths.entries()) {
        const bytes = await readFile(path);
        const key = `datasets/${dataset}/build=${buildId}/part-${String(at + 1).padStart(5, "0")}.parquet`;
        await this.store.create(key, bytes);
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        parts.push({ key, rows: held, bytes: bytes.length, sha256 });
      }
      const version = createHash("sha256")
        .update(JSON.stringify([schema, rows, seq]))
        .digest("hex");
      const manifest: DatasetManifest = {
        formatVersion: 1,
        dataset,
        seq,
        version,
        buildId,
        schema,
        rowCount: rows.length,
        parts,
        lineage: {
          files: [],
          streams: [],
          datasets: [],
          sql: null,
          code: null,
          reader: null,
          declaration: "0",
          leat: "0.0.0",
        },
        rules: [],
        restatement: { restated: 0, repeated: 0, files: [], columns: {}, samples: [] },
        layouts: null,
        builtAt: "2026-01-01T00:00:00.000Z",
      };
      this.entries.set(dataset, [...entries, manifest]);
      return manifest;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function writeParts(
  schema: PublishedSchema,
  rows: readonly Row[],
  partRows: number,
  folder: string,
): Promise<readonly { path: string; rows: number }[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const { columns, sort } = schema;
    await connection.run(`CREATE TABLE given (${columns.map((_, at) => `v${at} VARCHAR`).join(", ")})`);
    const appender = await connection.createAppender("given");
    for (const row of rows) {
      for (const cell of row) cell === null ? appender.appendNull() : appender.appendVarchar(cell);
      appender.endRow();
    }
    appender.closeSync();
    // Under names of our own until they are written: a column may be called `rowid`.
    const typed = columns.map(({ type }, at) => `CAST(v${at} AS ${engineType(type)}) AS v${at}`);
    const order = sort.map((name) => `v${columns.findIndex((one) => one.name === name)} NULLS LAST`);
    const sorted = order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`;
    await connection.run(`CREATE TABLE sorted AS FROM (SELECT ${typed.join(", ")} FROM given)${sorted}`);
    const cells = columns.map(({ name }, at) => `v${at} AS ${quote(name)}`).join(", ");
    const paths = [];
    for (let from = 0; from < Math.max(rows.length, 1); from += partRows) {
      const path = join(folder, `part-${paths.length}.parquet`);
      await connection.run(
        `COPY (SELECT ${cells} FROM sorted WHERE sorted.rowid >= ${from} AND sorted.rowid < ${from + partRows} ORDER BY sorted.rowid) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`,
      );
      paths.push({ path, rows: Math.min(partRows, rows.length - from) });
    }
    return paths;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
