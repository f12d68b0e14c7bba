/** A folder of Parquet files as the target of shares. */
import { appendFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readStagedPart } from "../../src/landing/part-reader.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { plant } from "../../src/testing/warehouse-under-test.ts";
import { openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";
import { writeQuery } from "../../src/warehouses/duckdb/write-query.ts";
import { readFolder } from "../../src/warehouses/parquet/folder-manifest.ts";
import { openParquet } from "../../src/warehouses/parquet/open-parquet.ts";
import { datasetContract } from "./dataset-contract.ts";
import { type ShareContractOptions, shareContract } from "./share-contract.ts";
import { openStand, type SharePlace } from "./share-stand.ts";

const openScratch = (file: string) =>
  openDuckDb(`duckdb:${file}`, {
    quoteExact: quoteExactColumns,
    readPart: readStagedPart,
    threads: 1,
    keepsEngine: true,
    workFolder: dirname(file),
  });

/** `isFar`: the files are not at hand, as in a bucket. */
async function openPlace(isFar = false): Promise<SharePlace & { folder: string; store: ObjectStore }> {
  const folder = await mkdtemp(join(tmpdir(), "leat-share-parquet-"));
  const near = openFsStore(folder);
  const store = isFar ? { ...near, localPath: () => undefined } : near;
  return {
    folder,
    store,
    address: `parquet:${folder}`,
    open: async (_address, workFolder) => {
      const warehouse = openParquet(store, { engine: { openScratch, writeParquet: writeQuery }, workFolder });
      const query = warehouse.query.bind(warehouse);
      // As a customer does who has looked into the manifest: names of tables stand for their files.
      warehouse.query = async (sql, options) => {
        const tables = (await readFolder(store))?.tables ?? [];
        const sqlOf = (keys: readonly string[]): string =>
          `read_parquet([${keys.map((key) => `'${near.localPath(key)}'`).join(", ")}], union_by_name = true)`;
        let text = sql;
        for (const { schema, table, current, versions } of tables) {
          const history = versions.map(({ file }) => file.key);
          text = text
            .replace(`<${schema}.${table}_history>`, () => sqlOf(history))
            .replace(`<${schema}.${table}>`, () => sqlOf(current === null ? [] : [current.key]));
        }
        return await query(text, options);
      };
      return warehouse;
    },
    relations: async () => {
      const names = await readdir(folder, { recursive: true, withFileTypes: true });
      return names
        .filter((one) => one.isFile())
        .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
        .sort();
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

const options: ShareContractOptions = {
  name: (schema, table) => `<${schema}.${table}>`,
  canBeAltered: false,
  keepsDeletions: false,
};

shareContract(() => openPlace(), options);
datasetContract(() => openPlace(), options);

const day = (n: number): string => `2026-01-0${n}T00:00:00Z`;

test("a delivery with news writes the new package and the current rows, and leaves other files as they are", async () => {
  let place: Awaited<ReturnType<typeof openPlace>> | undefined;
  await using stand = await openStand(async () => {
    place = await openPlace(true);
    return place;
  });
  for (let n = 1; n <= 3; n += 1) {
    await stand.land([plant(n, day(n))]);
    await stand.table();
  }
  const [table] = (await readFolder(place!.store))!.tables;
  expect(table!.versions.map(({ fromSeq, toSeq, file }) => [fromSeq, toSeq, file.rows])).toEqual([
    [1, 1, 1],
    [2, 2, 1],
    [3, 3, 1],
  ]);
  const files = (await stand.place.relations()).filter((name) => name.endsWith(".parquet"));
  expect(files.filter((name) => name.includes("/versions-"))).toHaveLength(3);
  expect(files.filter((name) => name.includes("/current-"))).toHaveLength(2); // Readers of the last one finish.
  const { receipts } = await stand.table();
  for (const { query, rows, checksum } of receipts)
    expect((await stand.rows(query)).map(([count, sum]) => [Number(count), String(sum)])).toEqual([
      [rows, checksum],
    ]);
});

test("two deliveries at once commit one after the other, and nothing is there twice", async () => {
  await using stand = await openStand(() => openPlace());
  for (let n = 1; n <= 2; n += 1) await stand.land([plant(n, day(n))]);
  const both = await Promise.all([stand.table(), stand.table()]);
  expect(both.map(({ rows }) => rows).sort()).toEqual([0, 2]);
  expect(await stand.rows("SELECT count(*) FROM <replica.plants_history>")).toEqual([[2]]);
});

test("a file that somebody has changed or deleted is told of, and a full load mends it", async () => {
  await using stand = await openStand(() => openPlace());
  await stand.land([plant(1, day(1))]);
  await stand.table();
  const folder = stand.place.address.slice("parquet:".length);
  const current = async () =>
    join(folder, (await stand.place.relations()).find((name) => name.includes("/current-"))!);
  for (const spoil of [
    async () => appendFile(await current(), "x"),
    async () => rm(await current()),
    async () => writeFile(await current(), ""),
  ]) {
    await spoil();
    await expect(stand.table({ mode: "verify" })).rejects.toMatchObject({ code: "SHARE_TABLE_ALTERED" });
    expect(await stand.table({ mode: "full" })).toMatchObject({ status: "moved" });
    expect(await stand.table()).toMatchObject({ status: "unchanged" });
  }
});

test("a folder in which somebody else has files of that name is left alone", async () => {
  await using stand = await openStand(() => openPlace());
  await stand.land([plant(1, day(1))]);
  const folder = stand.place.address.slice("parquet:".length);
  await openFsStore(folder).create("replica/plants/mine.csv", Buffer.from("a,b\n"));
  await expect(stand.table()).rejects.toMatchObject({ code: "SHARE_TABLE_TAKEN" });
  expect(await stand.place.relations()).toEqual(["replica/plants/mine.csv"]);
});
