/** A table of any length, gone through as people do: by number, by keys, by conditions and in another order. */
import type { Page } from "playwright-core";
import {
  type ConsoleStand,
  type Figure,
  type Opened,
  painted,
  watchLongTasks,
  weigh,
} from "./console-stand.ts";
import { firstRowsMs, middle, untilRows, untilWhole } from "./measure-rows.ts";

/** What a person waits for a question over all rows, ms: the server ends a query after ten seconds. */
const questionMs = 10_000;

/** A task of the page that is felt, ms. */
const taskMs = 200;

const nodesMax = 5000;
const heapMbMax = 40;

/** The server and its query process, MB, for ten million rows of eight columns: the rows in memory are 0.9 GB of it. */
const serverMbMax = 2000;
const queriesMbMax = 1792;

/** Rows that a hundred turns of PageDown go through at the least. */
const keyedRows = 1000;

const count = new Intl.NumberFormat("en");

async function took(page: Page, act: () => Promise<void>, until: () => Promise<unknown>): Promise<number> {
  const beganAt = performance.now();
  await act();
  await until();
  await painted(page);
  return performance.now() - beganAt;
}

/** Goes to a row by its number, and waits for it. */
async function goTo(page: Page, wanted: number, text = ""): Promise<number> {
  const field = page.getByLabel("Go to row");
  await field.fill(String(wanted));
  const row = page
    .locator(`tr[aria-rowindex="${wanted + 1}"]`, { hasText: text })
    .locator("td", { hasText: /./ });
  return await took(
    page,
    () => field.press("Enter"),
    () => row.first().waitFor(),
  );
}

/** The page of a dataset that is there as a whole, with its first rows in sight. */
async function openTable(stand: ConsoleStand, name: string): Promise<Opened> {
  await untilWhole(stand, name);
  const opened = await stand.open(`/datasets/${name}`);
  opened.page.setDefaultTimeout(3 * questionMs);
  await untilRows(opened.page, name);
  return opened;
}

/** A table whose rows have their number in `note`, and four equally common values of `status`, of which two are paid. */
export async function measureTable(stand: ConsoleStand, name: string, rows: number): Promise<Figure[]> {
  await using opened = await openTable(stand, name);
  const { page } = opened;
  const before = await weigh(opened);
  const longest = await watchLongTasks(page);
  const wanted = Math.floor(rows * 0.95) + 1; // It begins a part of the table: that keys go through one is measured.
  const goneMs = await goTo(page, wanted, `order ${wanted} of`);
  await page.locator(`tr[aria-rowindex="${wanted + 1}"]`).focus();
  for (let turn = 0; turn < 100; turn++) await page.keyboard.press("PageDown");
  // The focus is where the last key has led, as soon as the row is drawn.
  const focused = page.locator("tbody tr:focus", { hasText: /order \d+ of/ });
  // Asked from outside: the page's policy forbids to evaluate text within it.
  const focusedRow = async (): Promise<number> =>
    Number(await page.evaluate("document.activeElement?.getAttribute('aria-rowindex')"));
  const giveUpAt = performance.now() + 3 * questionMs;
  while ((await focusedRow()) <= wanted + keyedRows && performance.now() < giveUpAt) await painted(page);
  await focused.waitFor();
  await painted(page);
  const last = Number(await focused.getAttribute("aria-rowindex")) - 1;
  await page.locator(`tr[aria-rowindex="${last + 1}"]`, { hasText: `order ${last} of` }).waitFor();
  // One scroll bar goes through a hundred thousand rows: places all along it.
  const scrolled: number[] = [];
  for (const share of [0.1, 0.9, 0.4]) {
    const scroll = `(() => { const box = document.querySelector('[role=grid]').parentElement; box.scrollTop = box.scrollHeight * ${share}; })()`;
    const seen = page.locator("tbody tr[aria-rowindex] td", { hasText: /^order \d+ of/ });
    const atRow = (): Promise<string> => seen.first().innerText();
    const was = await atRow();
    scrolled.push(
      await took(
        page,
        () => page.evaluate(scroll),
        async () => {
          while ((await seen.count()) === 0 || (await atRow()) === was) await painted(page);
        },
      ),
    );
  }
  await page.getByRole("button", { name: "Facets" }).click();
  await page.getByRole("combobox", { name: "Facet" }).fill("status");
  const paid = page.getByRole("checkbox", { name: /^paid/ });
  const facetMs = await took(
    page,
    () => page.getByRole("option", { name: "status", exact: true }).click(),
    () => paid.waitFor(),
  );
  const half = page.getByText(`${count.format(rows / 2)} rows`, { exact: true });
  const filterMs = await took(
    page,
    () => paid.check(),
    () => half.waitFor(),
  );
  const first = page.locator('tr[aria-rowindex="2"]', { hasText: String(99_997) });
  const sortMs = await took(
    page,
    () => page.getByRole("button", { name: "amount", exact: true }).click(),
    () => first.waitFor(),
  );
  const deep = Math.floor(rows * 0.45);
  const deepMs = await goTo(page, deep);
  const after = await weigh(opened);
  const { serverMb, queriesMb } = stand.weighServer();
  const told = (what: string, found: number, unit: string, most?: number): Figure => ({
    what: `${name}: ${what}`,
    found,
    unit,
    ...(most !== undefined && { most }),
  });
  return [
    told(`to row ${wanted} by its number`, goneMs, "ms", firstRowsMs),
    told("rows left of those gone through by keys", Math.max(0, keyedRows - (last - wanted)), "", 0),
    told("to rows elsewhere by the scroll bar", middle(scrolled), "ms", firstRowsMs),
    told("values of a facet", facetMs, "ms", questionMs),
    told("rows that fit a condition, counted", filterMs, "ms", questionMs),
    told("the same in another order", sortMs, "ms", questionMs),
    told(`to row ${deep} of these`, deepMs, "ms", questionMs),
    told("longest task of the page", await longest(), "ms", taskMs),
    told("DOM nodes", after.nodes, "", nodesMax),
    told("heap of the page", after.heapMb, "MB"),
    told("heap more than before", after.heapMb - before.heapMb, "MB", heapMbMax),
    told("memory of the server at most", serverMb, "MB", serverMbMax),
    told("memory of its query process at most", queriesMb, "MB", queriesMbMax),
  ];
}

/** A chart of all rows: what is drawn comes added up from the server, however many rows there are. */
export async function measureChart(stand: ConsoleStand, name: string, rows: number): Promise<Figure[]> {
  await using opened = await openTable(stand, name);
  const { page } = opened;
  const longest = await watchLongTasks(page);
  const asked: string[] = [];
  page.on("response", (answer) => {
    if (answer.url().includes("/aggregate?")) asked.push(answer.url());
  });
  const drawing = page.locator("figure svg").first();
  const lineMs = await took(
    page,
    () => page.getByRole("tab", { name: "Chart" }).click(),
    () => drawing.waitFor(),
  );
  await page.getByText(`Every one of the ${count.format(rows)} rows is counted in, by the server.`).waitFor();
  const along = page.getByRole("combobox", { name: "Along" });
  await along.fill("endpoint");
  const barsMs = await took(
    page,
    () => page.getByRole("option", { name: "endpoint", exact: true }).click(),
    () => page.locator("figcaption", { hasText: "sum(amount) by endpoint" }).waitFor(),
  );
  await page.getByRole("button", { name: "Show as table" }).click();
  const numbers = page.getByRole("grid", { name: "Numbers of the chart" }).getByRole("row");
  if ((await numbers.count()) !== 4) throw new Error("the chart is not of the three endpoints");
  const { heapMb } = await weigh(opened);
  return [
    { what: `${name}: click to a line of all its rows over time`, found: lineMs, unit: "ms", most: 2000 },
    { what: `${name}: to bars by another column`, found: barsMs, unit: "ms", most: 2000 },
    { what: `${name}: questions that the charts took`, found: asked.length, unit: "", most: 3 },
    { what: `${name}: longest task of the page`, found: await longest(), unit: "ms", most: taskMs },
    { what: `${name}: heap of the page`, found: heapMb, unit: "MB" },
  ];
}
