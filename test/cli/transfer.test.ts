/** A project that Google's Data Transfer Service loads (`load: "dts"`): what leat then does, refuses and tells. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BigQueryServer, startBigQuery } from "../fakes/bigquery/bigquery-server.ts";
import { makeFolder, type TestFolder } from "./leat-process.ts";

const config = (columns: string) => `
import { defineProject, defineSource, syncFlow } from "leat";

const shop = defineSource({
  name: "shop",
  streams: {
    orders: {
      primaryKey: "id",
      ${columns}
      records: "lines",
      pages: async function* () {
        yield new TextEncoder().encode('{"id":1,"note":"a"}\\n');
      },
    },
  },
});
export default defineProject({
  name: "green house",
  sources: [shop],
  load: "dts",
  flows: [syncFlow({ schedules: [{ cron: "0 * * * *" }] })],
});
`;
const declared = 'columns: { id: "bigint", note: "text" },';

let server: BigQueryServer;
let folder: TestFolder;
beforeEach(async () => {
  server = await startBigQuery({ readObject: async () => undefined });
  await server.addDataset("shop-1", "warehouse");
  folder = makeFolder();
  folder.write("leat.config.ts", config(declared));
});
afterEach(async () => {
  folder.remove();
  await server.close();
});

const onBigQuery = () => {
  const warehouse = `bigquery://shop-1/warehouse?location=EU&endpoint=${server.url}`;
  return (...args: string[]) => folder.start(args, { LEAT_WAREHOUSE: warehouse }).ended;
};

test("on BigQuery a sync lands and says who loads; a load, a check and a rebuild are refused", async () => {
  const leat = onBigQuery();
  const synced = await leat("sync");
  expect([synced.code, synced.stderr]).toEqual([0, expect.stringContaining('load: "dts"')]);
  expect(synced.stdout).toMatch(/^1 records landed in/m);
  for (const command of ["load", "verify", "rebuild"]) {
    const told = await leat(command);
    expect(told.code, command).not.toBe(0);
    expect(`${told.stdout}${told.stderr}`, command).toContain("NOT_SUPPORTED");
  }
  expect(server.jobs.list().filter(({ body }) => body.configuration.load !== undefined)).toEqual([]);
});

test("on a laptop leat loads as ever", async () => {
  const told = await folder.leat("sync");
  expect(told.code, told.stderr).toBe(0);
  expect(told.stderr).not.toContain("dts");
  expect(told.stdout).toMatch(/1 records landed, 1 rows loaded/);
});

test("leat deploy writes table, views and transfer, leaves the load out, and tells what the service cannot do", async () => {
  const told = await folder.leat("deploy", "--project", "my-project", "--json");
  expect(told.stderr).toBe("");
  const { variables, limits, resources } = JSON.parse(told.stdout) as {
    variables: Record<string, Record<string, Record<string, unknown>>>;
    limits: string[];
    resources: { service: string; what: string }[];
  }; // As documented.
  expect(variables["transfers"]).toEqual({
    shop_orders: { objects: "gs://my-project-green-house-landing/landing/shop/orders/*.ndjson.gz" },
  });
  const { schema, ...table } = variables["tables"]!["shop_orders"]!;
  expect(table).toEqual({ partition_column: "_leat_extracted_at", clustering: ["tenant_id", "id"] });
  expect(
    (JSON.parse(String(schema)) as { name: string; type: string }[]).map(({ name, type }) => [name, type]),
  ).toEqual([
    ["tenant_id", "STRING"],
    ["id", "INT64"],
    ["note", "STRING"],
    ["_leat_package", "INT64"],
    ["_leat_row", "INT64"],
    ["_leat_extracted_at", "TIMESTAMP"],
  ]);
  expect(Object.keys(variables["views"]!)).toEqual(["shop.orders", "shop.orders_history"]);
  expect(variables["views"]!["shop.orders"]!["query"]).toContain(
    "`my-project`.`green_house_landing`.`shop_orders`",
  );
  expect(variables["landing_days"]).toBe(0);
  expect(resources.map(({ service }) => service)).toContain("Data Transfer Service");
  expect(resources.some(({ what }) => what.includes("-load, every"))).toBe(false);
  expect(limits.join(" ")).toMatch(/twice when a file was touched or the transfer was made anew/);
  const words = await folder.leat("deploy", "--project", "my-project");
  for (const limit of limits) expect(words.stdout).toContain(limit);
});

test.each([
  ["check"],
  ["sync"],
  ["deploy", "--project", "my-project"],
])("a stream of which the service would make something wrong is refused by name: leat %s", async (...args) => {
  folder.write("leat.config.ts", config(""));
  const told = await folder.leat(...args);
  expect(told.code).toBe(2);
  expect(told.stderr).toMatch(
    /CONFIG_INVALID[\s\S]*sources\[0\]\.streams\[0\][\s\S]*shop\.orders declares no `columns`/,
  );
  expect(existsSync(join(folder.path, ".leat"))).toBe(false);
});

test("files are loaded by nobody, and a dataset of them is no reason to refuse; one of a stream's rows is", async () => {
  const source = (extra: string) => `
import { defineDataset, defineProject, files, fromFiles, csv, fromStream, syncFlow, z } from "leat";
import { orders } from "./orders.ts";
const office = files({ name: "office", streams: { sheets: { page: "http://127.0.0.1:1/", match: "{year}.csv" } } });
const sheets = defineDataset({
  name: "figures", description: "Figures.", columns: { n: z.int() }, key: ["n"],
  from: fromFiles(office, { read: csv({ columns: { n: "n" } }) }),
});
const kept = defineDataset({
  name: "kept", description: "Orders.", columns: { id: z.int() }, key: ["id"], from: fromStream("shop.orders"),
});
export default defineProject({
  name: "green house", sources: [orders, office], load: "dts", datasets: [sheets${extra}],
  flows: [syncFlow({ schedules: [{ cron: "0 * * * *" }] })],
});
`;
  const orders = config(declared)
    .replace("const shop =", "export const orders =")
    .replace(/export default[\s\S]*/, "");
  folder.write("orders.ts", orders);
  folder.write("leat.config.ts", source(""));
  const told = await folder.leat("deploy", "--project", "my-project", "--json");
  expect(told.stderr).toBe("");
  expect(Object.keys(JSON.parse(told.stdout).variables.transfers)).toEqual(["shop_orders"]);
  folder.write("leat.config.ts", source(", kept"));
  const refused = await folder.leat("check");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/datasets\[1\]\.from[\s\S]*kept is made of shop\.orders/);
});
