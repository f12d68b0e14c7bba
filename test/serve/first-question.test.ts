/** The question that people ask first, over the publisher's own figures. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deathsApi } from "./deaths-api.ts";
import { openTestApi, type TestApi } from "./open-test-api.ts";
import { publishWorkbooks } from "./workbook-deaths.ts";

const stockport2018 = [315, 238, 267, 265, 218, 211, 212, 210, 191, 221, 239, 221];

type MapAnswer = Readonly<{ year: number; geo_code: string; data: Readonly<Record<string, number>> }>;
type ProblemAnswer = Readonly<{
  type: string;
  status: number;
  detail: string;
  parameter?: string;
  near?: string;
  allowed?: readonly unknown[];
}>;

let api: TestApi;
let rowCount: number;
beforeAll(async () => {
  api = await openTestApi(deathsApi);
  rowCount = await publishWorkbooks(api);
});
afterAll(async () => await api[Symbol.asyncDispose]());

describe("an area's year", () => {
  test("gives the figures of the workbook of 2018, month by month, dates in order", async () => {
    const answer = await api.get("/year/2018/geo_code/E08000007");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    const { year, geo_code: code, data } = answer.json<MapAnswer>();
    expect([year, code]).toEqual([2018, "E08000007"]);
    expect(Object.values(data)).toEqual(stockport2018);
    expect(Object.keys(data)).toEqual(
      stockport2018.map((_, month) => new Date(Date.UTC(2018, month + 1, 0)).toISOString().slice(0, 10)),
    );
    expect(answer.text.startsWith('{"year":2018,"geo_code":"E08000007","data":{"2018-01-31":315,')).toBe(
      true,
    );
  });

  test("gives two months of 2020, for which there are no more", async () => {
    const { data } = (await api.get("/year/2020/geo_code/E08000007")).json<MapAnswer>();
    expect(data).toEqual({ "2020-01-31": 296, "2020-02-29": 216 });
  });

  test("of a code that is not there says which one is near", async () => {
    const answer = await api.get("/year/2018/geo_code/E0800007");
    expect(answer.status).toBe(404);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    const problem = answer.json<ProblemAnswer>();
    expect(problem).toMatchObject({ type: "urn:leat:problem:no-rows", status: 404, parameter: "geo_code" });
    expect(problem.near).toMatch(/^E08000/);
    expect(problem.detail).toContain(`Did you mean "${problem.near}"?`);
  });

  test("of a year that is not there lists those that are", async () => {
    const problem = (await api.get("/year/2019/geo_code/E08000007")).json<ProblemAnswer>();
    expect(problem).toMatchObject({ status: 404, parameter: "year", allowed: ["2018", "2020"] });
  });

  test("of a year that is no number says what one looks like", async () => {
    const answer = await api.get("/year/last/geo_code/E08000007");
    expect(answer.status).toBe(400);
    expect(answer.json<ProblemAnswer>().detail).toBe(
      '"year" must be a whole number such as 2018, not "last".',
    );
  });

  test("is there as CSV and NDJSON by its ending and by Accept", async () => {
    const csv = await api.get("/year/2020/geo_code/E08000007.csv");
    expect(csv.text).toBe(
      "year,geo_code,month,deaths\r\n2020,E08000007,2020-01-31,296\r\n2020,E08000007,2020-02-29,216\r\n",
    );
    const lines = await api.get("/year/2020/geo_code/E08000007", { accept: "application/x-ndjson" });
    expect(lines.text.split("\n").map((line) => line && JSON.parse(line))).toEqual([
      { year: 2020, geo_code: "E08000007", month: "2020-01-31", deaths: 296 },
      { year: 2020, geo_code: "E08000007", month: "2020-02-29", deaths: 216 },
      "",
    ]);
  });
});

describe("other shapes", () => {
  test("all rows of an area, under a parameter of another name", async () => {
    const { area, rows } = (await api.get("/area/E08000007")).json<{
      area: string;
      rows: { month: string; deaths: number }[];
    }>();
    expect(area).toBe("E08000007");
    expect(rows.map(({ deaths }) => deaths)).toEqual([...stockport2018, 296, 216]);
    expect(rows[12]).toEqual({ month: "2020-01-31", deaths: 296 });
  });

  test("the only row of a key", async () => {
    const figure = (await api.get("/figure/E08000007/2018-03-31")).json();
    expect(figure).toEqual({
      geo_code: "E08000007",
      month: "2018-03-31",
      geo_name: "Stockport",
      year: 2018,
      deaths: 267,
    });
  });
});

describe("what there is", () => {
  test("tells columns, counts, version and where the rest is", async () => {
    const list = (await api.get("/datasets")).json<{ datasets: { name: string; rowCount: number }[] }>();
    expect(list.datasets).toMatchObject([{ name: "deaths", rowCount, columnCount: 5 }]);
    expect(rowCount).toBe(386 * 14); // Areas with a code, times twelve months and two.
    const dataset = (await api.get("/datasets/deaths")).json<{
      key: string[];
      freshness: unknown;
      columns: Record<string, unknown>[];
    }>();
    expect(dataset.key).toEqual(["geo_code", "month"]);
    expect(dataset.freshness).toEqual({
      builtAt: "2026-01-01T00:00:00.000Z",
      newest: { month: "2020-02-29" },
    });
    expect(dataset.columns.find(({ name }) => name === "year")).toMatchObject({
      distinctCount: 2,
      min: 2018,
      max: 2020,
      nullCount: 0,
    });
    expect(dataset.columns.find(({ name }) => name === "deaths")).toMatchObject({ unit: "deaths" });
    expect(dataset.columns.find(({ name }) => name === "geo_code")).toMatchObject({
      description: "Code of the area.",
    });
  });

  test("an area's total over the months agrees with the publisher's", async () => {
    const url =
      "/datasets/deaths/aggregate?by=geo_code,month.year&values=sum(deaths),count&geo_code=E08000007&sort=month.year";
    const { rows, total } = (await api.get(url)).json<{ rows: unknown[]; total: number }>();
    const sum = stockport2018.reduce((all, one) => all + one);
    expect(total).toBe(2);
    expect(rows).toEqual([
      { geo_code: "E08000007", "month.year": "2018-01-01", "sum(deaths)": sum, count: 12 },
      { geo_code: "E08000007", "month.year": "2020-01-01", "sum(deaths)": 512, count: 2 },
    ]);
  });
});
