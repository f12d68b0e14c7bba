/** What was landed and loaded, as the console shows it: packages, files, loads and rows. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openPlace } from "../contract/postgres-place.ts";
import { startPostgres } from "../services/postgres.ts";
import { token } from "./open-api.ts";
import { type ShopStand, withShop } from "./shop-stand.ts";

const headers = { authorization: `Bearer ${token}` };
const get = async ({ app, checked }: ShopStand, url: string) =>
  checked("GET", url, await app.inject({ url, headers }));
const tenant = "tenant ü/7";
const place = `stream=shop.orders&tenant=${encodeURIComponent(tenant)}`;
const rowsUrl = (query: string) =>
  `/api/streams/shop.orders/rows?tenant=${encodeURIComponent(tenant)}&${query}`;

const orders = [
  { id: 1, updated_at: "2026-01-01T00:00:00Z", amount: 10, status: "paid", note: null },
  { id: 2, updated_at: "2026-01-02T00:00:00Z", amount: 20.5, status: "open", note: 'says "ü", twice' },
  { id: 3, updated_at: "2026-01-03T00:00:00Z", amount: 5, status: "paid", note: "" },
];

async function fill(stand: ShopStand): Promise<void> {
  stand.records.set(tenant, orders);
  await stand.sync();
  stand.records.set(tenant, [
    ...orders,
    { id: 4, updated_at: "2026-01-04T00:00:00Z", amount: 7, city: "Łódź" },
  ]);
  await stand.sync();
}

/** Asks for rows: how many match, and their ids. */
const idsOf = (stand: ShopStand) => async (query: string) => {
  const { columns, rows, total } = (await get(stand, rowsUrl(`${query}&total=true`))).json();
  const at = columns.findIndex(({ name }: { name: string }) => name === "id");
  return [total, ...rows.map((row: unknown[]) => Number(row[at]))];
};

test("files are listed by package, shown, checked and taken home", async () => {
  await withShop(async (stand) => {
    await fill(stand);
    const { files, next_before } = (await get(stand, `/api/files?${place}&limit=1`)).json();
    expect([files.length, files[0].seq, files[0].records, next_before]).toEqual([1, 2, 1, 2]);
    const older = (await get(stand, `/api/files?${place}&before=${next_before}`)).json();
    expect([older.files[0].seq, older.next_before]).toEqual([1, null]);
    const [{ key, crc32c, bytes }] = older.files;
    const file = `${place}&seq=1&key=${encodeURIComponent(key)}`;
    const preview = (await get(stand, `/api/files/preview?${file}&records=2`)).json();
    expect(preview).toMatchObject({ form: "records", is_cut: true, file: { crc32c } });
    expect(preview.records.map((line: string) => JSON.parse(line).id)).toEqual([1, 2]);
    expect((await get(stand, `/api/files/check?${file}`)).json()).toEqual({ is_right: true, problem: null });
    const content = await stand.app.inject({ url: `/api/files/content?${file}`, headers });
    expect([content.rawPayload.length, content.headers["content-disposition"]]).toEqual([
      bytes,
      expect.stringContaining("attachment"),
    ]);
    const detail = (
      await get(stand, `/api/streams/shop.orders/packages/2?tenant=${encodeURIComponent(tenant)}`)
    ).json();
    expect(detail).toMatchObject({ seq: 2, kind: "data", counts: { landed: 1 }, edit: null });
    expect(detail.columns.map(({ name }: { name: string }) => name)).toContain("city");
  });
});

test("a damaged file is told as such, and a key of elsewhere leads nowhere", async () => {
  await withShop(async (stand) => {
    await fill(stand);
    const [{ key }] = (await get(stand, `/api/files?${place}&before=2`)).json().files;
    const file = `${place}&seq=1&key=${encodeURIComponent(key)}`;
    const path = stand.store.localPath(key)!;
    writeFileSync(path, "not what was landed");
    const { is_right, problem } = (await get(stand, `/api/files/check?${file}`)).json();
    expect([is_right, problem]).toEqual([false, expect.stringContaining("checksum")]);
    const preview = await get(stand, `/api/files/preview?${file}`);
    expect([preview.statusCode, preview.json().code]).toEqual([422, "PREVIEW_IMPOSSIBLE"]);
    for (const other of ["log/shop/orders/head", "../ledger.db", fileURLToPath(import.meta.url)]) {
      const answer = await get(stand, `/api/files/preview?${place}&seq=1&key=${encodeURIComponent(other)}`);
      expect([answer.statusCode, answer.json().code]).toEqual([404, "PACKAGE_UNKNOWN"]);
    }
    expect((await get(stand, `/api/files/preview?${place}&seq=9&key=x`)).statusCode).toBe(404);
    expect((await get(stand, "/api/files?stream=shop.order&tenant=414")).json().hint).toContain(
      "shop.orders",
    );
  });
});

test("rows of a load are filtered, sorted, counted and exported, exactly those that match", async () => {
  await withShop(async (stand) => {
    await fill(stand);
    const loads = (await get(stand, "/api/loads")).json().loads;
    expect(
      loads
        .map((one: { seq: number; loaded: number; tenant: string }) => [one.seq, one.loaded, one.tenant])
        .sort(),
    ).toEqual([
      [1, 3, tenant],
      [2, 1, tenant],
    ]);
    const ids = idsOf(stand);
    expect(await ids("seq=1&sort=-amount")).toEqual([3, 2, 1, 3]);
    expect(await ids("seq=2")).toEqual([1, 4]);
    expect(await ids("filter=status=paid&filter=amount.gt=7")).toEqual([1, 1]);
    expect(await ids("filter=status.in=paid,open&sort=id&limit=2&offset=1")).toEqual([3, 2, 3]);
    expect(await ids("filter=note.isnull=true&sort=-id")).toEqual([2, 4, 1]);
    expect(await ids(`filter=${encodeURIComponent("note.like=%Ü%")}`)).toEqual([1, 2]);
    expect(await ids(`filter=${encodeURIComponent("status=paid' OR '1'='1")}`)).toEqual([0]);
    const facet = (await get(stand, "/api/streams/shop.orders/facets?column=status")).json();
    expect(facet.values).toEqual([
      { value: "paid", count: 2 },
      { value: "open", count: 1 },
      { value: null, count: 1 },
    ]);
    const csv = await stand.app.inject({
      url: `/api/streams/shop.orders/export?filter=${encodeURIComponent("note.isnull=false")}&sort=id`,
      headers,
    });
    const lines = csv.body.trim().split("\r\n");
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain('"says ""ü"", twice"');
    const ndjson = await stand.app.inject({
      url: "/api/streams/shop.orders/export?format=ndjson&of=current",
      headers,
    });
    expect(
      ndjson.body
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).id)
        .sort(),
    ).toEqual([1, 2, 3, 4]);
  });
});

test("a filter that cannot be is told with what could be", async () => {
  await withShop(async (stand) => {
    await fill(stand);
    const problem = async (query: string) => {
      const answer = await get(stand, rowsUrl(query));
      return [answer.statusCode, answer.json().detail];
    };
    expect(await problem("filter=amout.gt=1")).toEqual([400, 'There is no column "amout".']);
    expect((await get(stand, rowsUrl("filter=amout.gt=1"))).json().hint).toContain("amount");
    expect(await problem("filter=amount.above=1")).toEqual([400, expect.stringContaining("has no operator")]);
    expect(await problem("filter=amount.gt=many")).toEqual([422, expect.stringContaining("many")]);
    expect(await problem("sort=-colour")).toEqual([400, 'There is no column "colour".']);
    expect(await problem("limit=201")).toEqual([400, expect.stringContaining("limit")]);
  });
});

test("rows in Postgres are found by the same filters", { timeout: 90_000 }, async () => {
  const server = await startPostgres();
  try {
    const place = await openPlace(server);
    await withShop(
      async (stand) => {
        await fill(stand);
        const ids = idsOf(stand);
        expect(await ids("seq=1&sort=-amount")).toEqual([3, 2, 1, 3]);
        expect(await ids("filter=status.in=paid,open&filter=amount.gt=7&sort=id")).toEqual([2, 1, 2]);
        expect(await ids("filter=updated_at.gte=2026-01-03&sort=id")).toEqual([2, 3, 4]);
        expect(await ids("of=current&filter=note.isnull=true&sort=-id")).toEqual([2, 4, 1]);
        expect(await ids(`filter=${encodeURIComponent("note.like=%TWICE")}`)).toEqual([1, 2]);
        const facet = (await get(stand, "/api/streams/shop.orders/facets?column=status")).json();
        expect(facet.values[0]).toEqual({ value: "paid", count: 2 });
        const wrong = await get(stand, rowsUrl("filter=amount.gt=many"));
        expect([wrong.statusCode, wrong.json().code]).toEqual([422, "QUERY_FAILED"]);
      },
      { token },
      () => place.warehouse,
    );
    await place.dispose();
  } finally {
    await server.stop();
  }
});
