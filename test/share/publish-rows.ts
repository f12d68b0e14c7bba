/** A version of a dataset published by hand: what a build would write, without one. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { createEntry, readNewest } from "../../src/dataset/dataset-log.ts";
import { buildPrefix, newBuildId } from "../../src/dataset/dataset-names.ts";
import { nameVersion, publishedSchema } from "../../src/dataset/publish-version.ts";
import { type DatasetManifest, datasetFormatVersion } from "../../src/model/dataset-manifest.ts";
import { newRunId } from "../../src/model/ids.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";

/** Publishes rows whose values are what `JSON.stringify` takes, or text in which a column's type is written. */
export async function publishRows(
  store: ObjectStore,
  spec: DatasetSpec,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<DatasetManifest> {
  const folder = await mkdtemp(join(tmpdir(), "leat-publish-"));
  try {
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    await writeFile(join(folder, "rows.ndjson"), lines);
    await writeParquet(folder, spec);
    const bytes = await readFile(join(folder, "rows.parquet"));
    const seq = ((await readNewest(store, spec.name))?.seq ?? 0) + 1;
    const buildId = newBuildId(seq, newRunId());
    const key = `${buildPrefix(spec.name, buildId)}part-00001.parquet`;
    await store.create(key, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const schema = publishedSchema(spec);
    return await createEntry(store, {
      formatVersion: datasetFormatVersion,
      dataset: spec.name,
      seq,
      version: nameVersion(schema, lines),
      buildId,
      schema,
      rowCount: rows.length,
      parts: [{ key, rows: rows.length, bytes: bytes.length, sha256 }],
      lineage: {
        files: [],
        streams: [],
        datasets: [],
        sql: null,
        code: null,
        reader: null,
        declaration: sha256,
        leat: "0.0.0",
      },
      rules: [],
      restatement: { restated: 0, repeated: 0, files: [], columns: {}, samples: [] },
      layouts: null,
      builtAt: "2026-01-01T00:00:00.000Z",
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeParquet(folder: string, { columns }: DatasetSpec): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const types = columns.map(({ published: { name, type } }) => {
      const engine = type === "text" ? "VARCHAR" : type === "decimal(38,3)" ? "VARCHAR" : type.toUpperCase();
      return [name, engine, type] as const;
    });
    const read = types.map(([name, engine]) => `"${name}": '${engine}'`).join(", ");
    const cells = types.map(([name, engine, type]) =>
      engine === "VARCHAR" && type !== "text" ? `CAST("${name}" AS ${type}) AS "${name}"` : `"${name}"`,
    );
    const rows = `read_ndjson('${join(folder, "rows.ndjson")}', columns = {${read}})`;
    await connection.run(
      `COPY (SELECT ${cells.join(", ")} FROM ${rows}) TO '${join(folder, "rows.parquet")}' (FORMAT parquet)`,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
