/** What leaves a version of a dataset: the tenant's rows, looked at twice, and of the dataset's own files alone. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { defineDataset } from "../../src/define/define-dataset.ts";
import { fromRows } from "../../src/define/define-dataset-inputs.ts";
import { toTenantId } from "../../src/model/ids.ts";
import { checkLines } from "../../src/share/check-lines.ts";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";
import { DatasetBench } from "../dataset/dataset-bench.ts";
import { hostileIds } from "./hostile-ids.ts";
import { openDuckDbPlace } from "./open-duckdb-place.ts";
import { type DeliverOptions, openStand } from "./share-stand.ts";

const rowsBook = (rows: readonly Readonly<Record<string, unknown>>[], changes: object = {}) =>
  defineDataset({
    name: "book",
    description: "Whose is what.",
    columns: { owner: z.string(), n: z.int(), said: z.string().nullable() },
    key: ["owner", "n"],
    tenantColumn: "owner",
    from: fromRows(() => [...rows]),
    ...changes,
  });
const share = { streams: [], datasets: ["book"] };

describe("I13 a dataset of a thousand tenants with hostile ids", () => {
  test("gives each its own rows, built and shared as a project does it", async () => {
    await using stand = await openStand(openDuckDbPlace);
    const ids = hostileIds(1000);
    const spec = rowsBook(
      ids.flatMap((owner, n) => [0, 1].map((at) => ({ owner, n: 2 * n + at, said: owner }))),
    );
    const bench = await DatasetBench.open(stand.folder);
    await bench.build(spec);
    const random = createSeededRandom(20_261_121);
    const drawn = Array.from({ length: 3 }, () => random.pick(ids));
    for (const [at, id] of ["41", "a\u0301", ..."' OR '1'='1|..".split("|"), ...drawn].entries()) {
      if (!ids.includes(id)) continue;
      const own = ids.indexOf(id);
      const options: DeliverOptions = { tenant: id, datasets: [spec], streams: [] };
      await stand.table({ ...options, share: { ...share, name: `to_${at}` } });
      const rows = await stand.rows(`SELECT owner, n, said FROM to_${at}.book ORDER BY n`);
      expect(rows.map(([owner, n, said]) => [owner, Number(n), said])).toEqual([
        [id, 2 * own, id],
        [id, 2 * own + 1, id],
      ]);
    }
  }, 60_000);

  test("never gives a row that the query should not have selected", async () => {
    await using stand = await openStand(openDuckDbPlace);
    const spec = rowsBook([]);
    await stand.publish(spec, [
      { owner: "41", n: 1, said: "a" },
      { owner: "414", n: 2, said: "not yours" },
    ]);
    // A query that has gone wrong: it gives the rows of another.
    const versions: DeliverOptions["versions"] = (all) => ({
      ...all,
      writeRows: (request, file, signal) =>
        all.writeRows({ ...request, tenant: toTenantId("414") }, file, signal),
    });
    const options: DeliverOptions = { tenant: "41", datasets: [spec], streams: [], share };
    const { tables } = await stand.deliver({ ...options, versions });
    expect(tables[0]?.error).toMatchObject({
      code: "INTERNAL",
      message: expect.stringContaining("not of tenant 41"),
    });
    expect(await stand.table(options)).toMatchObject({ rows: 1 });
    expect(await stand.rows("SELECT owner FROM replica.book")).toEqual([["41"]]);
  });

  test("gives nothing of a version that names a file of another dataset", async () => {
    await using stand = await openStand(openDuckDbPlace);
    const spec = rowsBook([]);
    await stand.publish(spec, [{ owner: "41", n: 1, said: "a" }]);
    const versions: DeliverOptions["versions"] = (all) => ({
      ...all,
      newest: async (dataset) => {
        const entry = (await all.newest(dataset))!;
        const parts = entry.parts.map((part) => ({
          ...part,
          key: "datasets/other/build=1/part-00001.parquet",
        }));
        return { ...entry, parts };
      },
    });
    const { tables } = await stand.deliver({ tenant: "41", datasets: [spec], streams: [], share, versions });
    expect(tables[0]?.error).toMatchObject({ code: "SHARE_OUT_OF_SCOPE" });
  });

  test("whose log was begun anew is told, and a full load mends it", async () => {
    await using stand = await openStand(openDuckDbPlace);
    const spec = rowsBook([]);
    const options: DeliverOptions = { tenant: "41", datasets: [spec], streams: [], share };
    await stand.publish(spec, [{ owner: "41", n: 1, said: "a" }]);
    await stand.table(options);
    await stand.store.delete("datasets/book/log/000000000001.json");
    await stand.publish(spec, [{ owner: "41", n: 2, said: "a" }]);
    const failure = await stand.table(options).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "LOG_REWRITTEN", hint: expect.stringContaining("--full") });
    await stand.table({ ...options, mode: "full" });
    expect((await stand.rows("SELECT n FROM replica.book")).map(([n]) => Number(n))).toEqual([2]);
  });

  test("gives nothing of a version without the tenant's column or a shared one", async () => {
    await using stand = await openStand(openDuckDbPlace);
    const spec = rowsBook([]);
    const rows = [{ owner: "41", n: 1, said: "a" }];
    await stand.publish(rowsBook([], { tenantColumn: undefined }), rows);
    const options: DeliverOptions = { tenant: "41", datasets: [spec], streams: [], share };
    await expect(stand.table(options)).rejects.toMatchObject({ code: "SHARE_COLUMN_MISSING" });
    await stand.publish(spec, rows);
    const datasets = [{ dataset: "book", columns: ["sayd"] }];
    await expect(stand.table({ ...options, share: { ...share, datasets } })).rejects.toMatchObject({
      code: "SHARE_COLUMN_MISSING",
      hint: expect.stringContaining('"said"'),
    });
    expect(await stand.place.relations()).toEqual([]);
  });
});

describe("the last look at a tenant's rows", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "leat-lines-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const look = async (text: string, id = 'a"\u001f') => {
    await writeFile(join(folder, "rows"), text);
    return await checkLines(join(folder, "rows"), { column: "o", tenant: toTenantId(id) });
  };

  test("takes the tenant's id however it is escaped, and counts rows", async () => {
    const lines = ['{"o":"a\\"\\u001f","n":1}', '{"o":"a\\u0022\\u001F","n":2}', '{"o":"\\u0061\\"\\u001f"}'];
    expect(await look(`${lines.join("\n")}\n`)).toMatchObject({ records: 3 });
    expect(await look("")).toMatchObject({ records: 0 });
    const many = `{"o":"41","n":"${"x".repeat(1000)}"}\n`.repeat(300);
    expect(await look(many, "41")).toMatchObject({ records: 300 });
  });

  test("refuses any other, whatever else the row says", async () => {
    for (const line of [
      '{"o":"a","n":1}',
      '{"o":"a\\"\\u001f ","n":1}',
      '{"o":null,"o":"a\\"\\u001f"}',
      '{"n":"a\\"\\u001f","o":"a\\"\\u001f"}',
      '{"o":7}',
      "{}",
      "",
    ])
      await expect(look(`{"o":"a\\"\\u001f"}\n${line}\n`), line).rejects.toThrow("row 2");
    await expect(look('{"o":"a\\"\\u001f"}')).rejects.toThrow("the last row ends");
  });
});
