/** Tables that Google's Data Transfer Service fills (`load: "dts"`): views that are right although it loads files twice. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StreamSpec } from "../../src/model/stream.ts";
import { transferFaults } from "../../src/model/transfer-faults.ts";
import type { PackageToLoad } from "../../src/ports/warehouse.ts";
import { landPackage } from "../../src/testing/landed-package.ts";
import { makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { type BigQueryPlace, openPlace } from "./bigquery-place.ts";
import { makeTransfer, transferFiles } from "./make-transfer.ts";

let place: BigQueryPlace;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(() => place.dispose());

const declared = makeStreamSpec({
  columns: { id: { type: "bigint" }, modified: { type: "timestamptz" }, note: { type: "text" } },
});

async function openTransfer(project: string, spec: StreamSpec) {
  const plan = await makeTransfer(place, project, spec);
  const transfer = (...packages: readonly PackageToLoad[]) => transferFiles(place, project, plan, packages);
  return { transfer, warehouse: place.open("", project) };
}

const rowsOf = async (warehouse: ReturnType<BigQueryPlace["open"]>, view: string) =>
  (
    await warehouse.query(
      `SELECT tenant_id, id, modified, note FROM ${view} ORDER BY tenant_id, id, modified`,
    )
  ).rows;

test("files that are loaded twice, and those of a run that died, change no current row", async () => {
  const own = new WarehouseBench({ ...place, warehouse: place.open() });
  const note = (text: string) => `"note":"${text}","left_out":{"a":1}`;
  const first = await own.land(
    [plant(1, "2024-01-01T00:00:00Z", note("a")), plant(2, "2024-01-01T00:00:00Z", note("b"))],
    { compression: "gzip" },
  );
  const second = await own.land(
    [plant(3, "2024-01-01T12:00:00Z", note("d")), plant(1, "2024-01-02T00:00:00Z", note("c"))],
    { compression: "gzip" },
  );
  const other = await own.land([plant(1, "2024-01-03T00:00:00Z", note("x"))], {
    compression: "gzip",
    tenant: "41",
  });
  const { transfer, warehouse } = await openTransfer("dts-1", declared);
  await transfer(first, other);
  await transfer(second);
  await transfer(first, second); // Somebody has touched them.
  const expected = [
    ["41", 1, "2024-01-03T00:00:00Z", "x"],
    ["414", 1, "2024-01-02T00:00:00Z", "c"],
    ["414", 2, "2024-01-01T00:00:00Z", "b"],
    ["414", 3, "2024-01-01T12:00:00Z", "d"],
  ];
  expect(await rowsOf(warehouse, "metrc.metrc_plants")).toEqual(expected);
  const history = await rowsOf(warehouse, "metrc.metrc_plants_history");
  expect(history).toHaveLength(5); // Two versions of one record, and each once.
  // What leat itself loads of the same packages.
  await own.load(declared, [first, second, other]);
  expect(await rowsOf(place.own, "metrc.metrc_plants")).toEqual(expected);
  expect(await rowsOf(place.own, "metrc.metrc_plants_history")).toEqual(history);
  // The same sequence and row as a committed package's, of a run that died before it: nothing committed is lost.
  await transfer(
    await landPackage({
      folder: await mkdtemp(join(place.folder, "died-")),
      tenant: "414",
      seq: second.seq,
      records: [plant(1, "2024-01-02T00:00:00Z", note("c"))],
      compression: "gzip",
      extractedAt: "2026-01-02T00:00:00.000Z",
    }),
  );
  expect(await rowsOf(warehouse, "metrc.metrc_plants")).toEqual(expected);
  expect(await rowsOf(warehouse, "metrc.metrc_plants_history")).toHaveLength(6);
  expect((await warehouse.query("SELECT COUNT(*) FROM gcs_metrc_plants")).rows).toEqual([[10]]);
});

test.each([
  [{ columns: {} }, "declares no `columns`"],
  [{ columns: { id: { type: "bigint" } } }, "type of modified"],
  [
    { columns: { ...declared.columns, price: { type: "decimal", precision: 9, scale: 2 } } },
    "price as a decimal",
  ],
  [{ columns: { ...declared.columns, id: { type: "json" } } }, "ordered by id, which is JSON"],
  [{ columns: declared.columns, primaryKey: [] }, "no primary key"],
  [{ columns: declared.columns, writeDisposition: "replace" }, "replaced as a whole"],
  [{ columns: declared.columns, isMaterialized: true }, "nobody would bring up to date"],
  [{ columns: { ...declared.columns, "per cent": { type: "text" } } }, '"per cent"'],
] as const)("a stream for which that would be wrong is refused: %o", (changes, words) => {
  expect(transferFaults(makeStreamSpec(changes as Partial<StreamSpec>)).join("; ")).toContain(words);
  expect(transferFaults(declared)).toEqual([]);
});
