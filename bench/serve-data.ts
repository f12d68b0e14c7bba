/** A dataset version of the benchmark: deaths by area and month, made by DuckDB, sorted by its key. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { DatasetManifest, PublishedColumn } from "../src/model/dataset-manifest.ts";
import type { ApiSpec } from "../src/ports/api-spec.ts";
import type { PublishedDatasets } from "../src/ports/dataset-query.ts";
import { defineApi } from "../src/serve/define-api.ts";

/** Ten years of months for each area: 350 areas are 42,000 rows, 83,334 are ten million. */
export const areas = { small: 350, big: 83_334 } as const;
export type Size = keyof typeof areas;

export const rowCount = (size: Size): number => areas[size] * 120;

const column = (name: string, type: string): PublishedColumn => ({
  name,
  type,
  isNullable: false,
  description: null,
  unit: null,
  examples: [],
});

/** What the servers under test answer: the same question in each. */
export const spec: ApiSpec = defineApi({
  title: "Deaths",
  description: "Monthly figures on deaths, made up.",
  datasets: ["deaths"],
  routes: [
    {
      path: "/year/{year}/geo_code/{geo_code}",
      dataset: "deaths",
      shape: "map",
      key: "month",
      value: "deaths",
    },
    {
      path: "/rows/{year}/{geo_code}",
      dataset: "deaths",
      shape: "rows",
      columns: ["geo_code", "year", "month", "deaths"],
    },
  ],
});

/** Folder, file and manifest of a version; made once and kept in the system's temporary folder. */
export async function makeVersion(
  size: Size,
): Promise<Readonly<{ folder: string; path: string; manifest: DatasetManifest }>> {
  const folder = join(tmpdir(), "leat-bench-serve", size);
  const key = "datasets/deaths/build=1/part-00001.parquet";
  const path = join(folder, key);
  if (!existsSync(path)) {
    await mkdir(join(folder, "datasets/deaths/build=1"), { recursive: true });
    await writeParquet(size, `${path}.new`);
    await rename(`${path}.new`, path);
  }
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array); // A stream without an encoding.
  const sha256 = hash.digest("hex");
  const manifest: DatasetManifest = {
    formatVersion: 1,
    dataset: "deaths",
    seq: 1,
    version: sha256,
    buildId: "1",
    schema: {
      description: "Deaths by area and month.",
      licence: null,
      columns: [
        column("geo_code", "text"),
        column("year", "bigint"),
        column("month", "date"),
        column("deaths", "bigint"),
      ],
      key: ["geo_code", "month"],
      sort: ["geo_code", "month"],
      tenantColumn: null,
    },
    rowCount: rowCount(size),
    parts: [{ key, rows: rowCount(size), bytes: (await stat(path)).size, sha256 }],
    lineage: {
      files: [],
      streams: [],
      datasets: [],
      sql: null,
      code: null,
      reader: null,
      declaration: "",
      leat: "",
    },
    rules: [],
    restatement: { restated: 0, repeated: 0, files: [], columns: {}, samples: [] },
    layouts: null,
    builtAt: "2026-01-01T00:00:00.000Z",
  };
  return { folder, path, manifest };
}

/** A log of the same rows, published again and again under other names. */
export function publishedAnew(
  manifest: DatasetManifest,
): PublishedDatasets & Readonly<{ publish: () => void }> {
  let newest = 1;
  const entry = (seq: number): DatasetManifest => ({
    ...manifest,
    seq,
    version: createHash("sha256").update(`${manifest.version} ${seq}`).digest("hex"),
  });
  return {
    publish: () => void newest++,
    newestSeq: async () => newest,
    readEntry: async (_, seq) => entry(seq),
    listVersions: async () =>
      Array.from({ length: newest }, (_, at) => ({ ...entry(newest - at), isKept: true })),
  };
}

async function writeParquet(size: Size, path: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  try {
    await connection.run(
      `COPY (
         SELECT 'E' || lpad(CAST(area AS VARCHAR), 8, '0') AS geo_code, CAST(2009 + year AS BIGINT) AS year,
           last_day(make_date(2009 + year, month, 1)) AS month, CAST(hash(area, year, month) % 400 AS BIGINT) AS deaths
         FROM range(1, ${areas[size] + 1}) a(area), range(1, 11) b(year), range(1, 13) c(month)
         ORDER BY geo_code, month
       ) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The same rows as CSV, for servers that read that. */
export async function makeCsv(size: Size): Promise<string> {
  const { path } = await makeVersion(size);
  const csv = path.replace(/\.parquet$/, ".csv");
  if (existsSync(csv)) return csv;
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(
    `COPY (FROM read_parquet('${path}', hive_partitioning = false)) TO '${csv}' (FORMAT csv, HEADER)`,
  );
  connection.closeSync();
  instance.closeSync();
  return csv;
}
