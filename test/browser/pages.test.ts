/** Pages in a real browser: nothing on the console, nothing asked of anybody else, nothing that axe finds wrong. */
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, type WatchedPage, watchPage } from "./open-browser.ts";
import { deathsCsv, type ServedProcess, startServe } from "./open-served-deaths.ts";

let browser: Browser;
let served: ServedProcess;
beforeAll(async () => {
  [browser, served] = await Promise.all([
    openBrowser(),
    startServe({ name: "deaths.csv", text: deathsCsv(20) }),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await served?.[Symbol.asyncDispose]();
});

/** Opens an address in a browser of its own. */
async function visit(
  path: string,
  options: NonNullable<Parameters<Browser["newContext"]>[0]> = {},
): Promise<WatchedPage & AsyncDisposable & { context: BrowserContext }> {
  const context = await browser.newContext(options);
  const watched = await watchPage(context, served.url);
  await watched.page.goto(`${served.url}${path}`, { waitUntil: "load" });
  return { ...watched, context, [Symbol.asyncDispose]: () => context.close() };
}

const looks = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "narrow", colorScheme: "light", viewport: { width: 360, height: 740 } },
] as const;

describe.each(looks)("$name", ({ name: _, ...look }) => {
  test.each([
    "/",
    "/datasets/deaths",
    "/datasets/deaths?year=2018&sort=-deaths",
    "/datasets/none",
  ])("%s is quiet, asks nobody else and has no violation", async (path) => {
    await using visited = await visit(path, look);
    expect(await visited.violations()).toEqual([]);
    expect(visited.said.filter((line) => !line.includes("404"))).toEqual([]);
    expect(visited.foreign).toEqual([]);
    const overflow = await visited.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
  });

  test("/docs draws the API, quietly, from this server alone", async () => {
    await using visited = await visit("/docs", look);
    await visited.page.getByText("Download OpenAPI Document").first().waitFor();
    await visited.page.waitForLoadState("networkidle");
    expect(visited.said).toEqual([]);
    expect(visited.foreign).toEqual([]);
    expect(await visited.violations(["wcag2a", "wcag2aa"])).toEqual([]);
  });
});

describe("a dataset's page", () => {
  test("works without JavaScript: conditions, order, pages, facets, chart", async () => {
    await using visited = await visit("/datasets/deaths", { javaScriptEnabled: false });
    const { page } = visited;
    expect(await page.getByRole("heading", { level: 2 }).first().textContent()).toBe("480 rows");
    await page.locator('select[name="~column"]').selectOption("deaths");
    await page.locator('select[name="~operator"]').selectOption("gte");
    await page.locator('input[name="~value"]').fill("100");
    await page.getByRole("button", { name: "Add" }).click();
    expect(new URL(page.url()).search).toBe("?deaths.gte=100");
    await page.getByTitle("Sort by deaths").click();
    await page.getByRole("link", { name: "deaths ▲" }).click();
    expect(new URL(page.url()).search).toBe("?deaths.gte=100&sort=-deaths");
    expect(await page.locator("table.data tbody tr").first().locator("td.number").last().textContent()).toBe(
      "240",
    );
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByRole("link", { name: "First page" }).waitFor();
    await page.getByRole("link", { name: "2018", exact: true }).first().click();
    expect(page.url()).toContain("year=2018");
    expect(await page.locator("svg.chart").getAttribute("aria-label")).toContain("deaths");
    await page.getByRole("link", { name: /^Drop the condition year is 2018/ }).click();
    expect(page.url()).not.toContain("year=2018");
  });

  test("can be walked through by keyboard", async () => {
    await using visited = await visit("/datasets/deaths");
    const { page } = visited;
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("skip");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    for (let at = 0; at < 40; at++) await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.matches(':focus-visible')")).toBe(true);
  });

  test("hands out code that asks what it shows", async () => {
    await using visited = await visit("/datasets/deaths?geo_code=E00000001&year=2018");
    await visited.page.getByText("Copy as TypeScript").click();
    const code = (await visited.page.locator("details[open] code").textContent())!;
    const url = /fetch\("([^"]+)"\)/.exec(code)![1]!;
    const answer = (await (await fetch(url)).json()) as { total: number };
    expect(answer.total).toBe(12);
    await visited.page.getByRole("button", { name: "Copy", exact: true }).first().waitFor();
  });

  test("links to its rows in each format", async () => {
    await using visited = await visit("/datasets/deaths?year=2018");
    for (const format of ["CSV", "JSON", "NDJSON", "Parquet", "Arrow"]) {
      const path = await visited.page.getByRole("link", { name: format, exact: true }).getAttribute("href");
      const answer = await fetch(`${served.url}${path}`);
      expect(answer.status).toBe(200);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
  });
});

test("SQL runs in the browser, over ranges of the published Parquet", async () => {
  await using visited = await visit("/sql");
  const { page } = visited;
  const ranges: string[] = [];
  page.context().on("request", (request) => {
    if (request.url().endsWith(".parquet") && request.method() === "GET")
      ranges.push(request.headers()["range"] ?? "");
  });
  await page.locator("#state", { hasText: "Ready." }).waitFor({ timeout: 30_000 });
  const run = async (sql: string): Promise<string[]> => {
    await page.locator("#query").fill(sql);
    await page.keyboard.press("Control+Enter");
    await page.locator("#state", { hasText: /ms$|Error/ }).waitFor();
    return await page.locator("#result td").allTextContents();
  };
  expect(await run("SELECT count(*), sum(deaths), max(geo_name) FROM deaths")).toEqual([
    "480",
    expect.any(String),
    "Area 9, été",
  ]);
  expect(await run("SELECT NULL AS a, '' AS b, 'x,\"y\"' AS c, 12345678901234567890.5 AS d")).toEqual([
    "empty",
    "",
    'x,"y"',
    "12345678901234567890.5",
  ]);
  expect(await run("SELECT nothing FROM deaths")).toEqual([]);
  expect(await page.locator("#state").textContent()).toContain("nothing");
  expect(await visited.violations()).toEqual([]);
  expect(visited.said).toEqual([]);
  expect(visited.foreign).toEqual([]);
  expect(ranges.every((range) => range.startsWith("bytes="))).toBe(true);
  // The server has executed none of it: it has only been asked for files.
  expect(served.lines.filter((line) => line.includes("aggregate"))).toEqual([]);
});
