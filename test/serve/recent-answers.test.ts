/** Answers that are kept are those that would be made again. */
import { expect, test } from "vitest";
import { deathsApi, deathsRows, deathsSchema } from "./deaths-api.ts";
import { openTestApi } from "./open-test-api.ts";

test("an address asked again and again gives the same answer, in whatever form it is asked", async () => {
  await using api = await openTestApi(deathsApi);
  await api.published.publish("deaths", deathsSchema, deathsRows(5));
  await api.refresh();
  const url = "/year/2018/geo_code/E00000002";
  const first = await api.get(url);
  for (let turn = 0; turn < 3; turn++) {
    const again = await api.get(url);
    expect([again.status, again.text, [...again.headers]]).toEqual([200, first.text, [...first.headers]]);
    expect((await api.get(url, { accept: "text/csv" })).text).toContain("year,geo_code,month,deaths");
    expect((await api.get(url, { accept: "image/png" })).status).toBe(406);
    expect((await api.get(url, { "if-none-match": first.headers.get("etag")! })).status).toBe(304);
    expect((await api.get(url, {}, "HEAD")).bytes.length).toBe(0);
    expect((await api.get(url, {}, "POST")).status).toBe(405);
  }
});

test("an answer of the version before is not given after a swap", async () => {
  await using api = await openTestApi(deathsApi);
  const url = "/figure/E00000002/2018-02-28";
  for (let version = 0; version < 4; version++) {
    await api.published.publish("deaths", deathsSchema, deathsRows(5, version));
    await api.refresh();
    const wanted = deathsRows(5, version).find(
      ([code, , , month]) => code === "E00000002" && month === "2018-02-28",
    )!;
    for (let turn = 0; turn < 3; turn++) {
      const { deaths } = (await api.get(url)).json<{ deaths: number | null }>();
      expect(deaths === null ? null : String(deaths)).toBe(wanted[4]);
    }
  }
});

test("more addresses than are kept are answered as well", async () => {
  await using api = await openTestApi(deathsApi);
  await api.published.publish("deaths", deathsSchema, deathsRows(400));
  await api.refresh();
  for (let turn = 0; turn < 3; turn++)
    for (const [code, , , month, deaths] of deathsRows(400)) {
      const answer = await api.get(`/figure/${code}/${month}`);
      expect(answer.json<{ deaths: number | null }>().deaths?.toString() ?? null).toBe(deaths);
    }
});
