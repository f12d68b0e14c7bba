/** A table longer than anybody scrolls through, on a real server and browser. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectClean } from "./expect-clean.ts";
import { type Console, openConsole } from "./open-console.ts";

/** Rows that the console shows at once, and rows of `orders`: two such parts, and a short one. */
const partCount = 100_000;
const orderCount = 2 * partCount + 50;

const project = `
import { defineDataset, defineProject, flow, fromSql, z } from "leat";
const orders = defineDataset({
  name: "orders",
  description: "Orders of a shop.",
  columns: { id: z.int(), customer: z.string(), amount: z.int() },
  key: ["id"],
  from: fromSql("SELECT i AS id, 'Zoë ' || (i % 500) AS customer, (i * 7919) % ${orderCount} AS amount FROM range(1, ${orderCount + 1}) t(i)", {}),
});
export default defineProject({ name: "long", flows: [flow("noop", {}, async () => {})], datasets: [orders] });
`;

let desk: Console;
beforeAll(async () => {
  desk = await openConsole(project);
  mkdirSync(join(desk.folder.path, ".leat"), { recursive: true });
  (await DuckDBInstance.create(join(desk.folder.path, ".leat/warehouse.duckdb"))).closeSync(); // Nothing is loaded.
  const built = await desk.folder.leat("build", "orders");
  if (built.code !== 0) throw new Error(built.stdout + built.stderr);
}, 60_000);
afterAll(async () => {
  await desk?.[Symbol.asyncDispose]();
});

/** Number of the row that has the focus. */
const focusedRow = (page: Page): Promise<number> =>
  page.evaluate("Number(document.activeElement?.getAttribute('aria-rowindex')) - 1");

test("a row is gone to by its number, by keyboard alone and by its address, and keys held down lose neither focus nor rows", async () => {
  await using visit = await desk.visit("/datasets/orders");
  const { page } = visit;
  const row = (number: number) => page.locator(`tr[aria-rowindex="${number + 1}"]`);
  await row(1).waitFor();
  await page.getByLabel("Go to row").focus();
  await page.keyboard.type("1.5");
  await page.keyboard.press("Enter");
  await page.getByText("✕ Type a number from 1 to 200,050.").waitFor();
  await expectClean(visit);
  await page.getByLabel("Go to row").fill("54,321");
  await page.keyboard.press("Enter");
  await row(54_321).filter({ hasText: "54321" }).waitFor();
  expect(new URL(page.url()).searchParams.get("at")).toBe("54321");
  await page.getByText(/^54,321–54,3\d\d$/).waitFor();
  await page.reload();
  await row(54_321).filter({ hasText: "54321" }).waitFor();
  await row(54_321).focus();
  for (let turn = 0; turn < 30; turn++) await page.keyboard.press("PageDown");
  const focused = (): Promise<number> => focusedRow(page);
  await expect.poll(focused).toBeGreaterThan(54_321 + 30 * 5);
  const at = await focused();
  await row(at)
    .filter({ hasText: String(at) })
    .waitFor();
  // By the scroll bar, to and fro: what is drawn is one stretch of rows, and none is left over from elsewhere.
  const drawn = (): Promise<readonly number[]> =>
    page.evaluate(
      "[...document.querySelectorAll('tbody tr[aria-rowindex]')].map((one) => +one.ariaRowIndex - 1)",
    );
  for (const share of [0.9, 0.1, 0.4]) {
    await page.evaluate(
      `(() => { const box = document.querySelector("[role=grid]").parentElement; box.scrollTop = box.scrollHeight * ${share}; })()`,
    );
    const wanted = Math.round(share * partCount);
    await row(wanted)
      .filter({ hasText: `Zoë ${wanted % 500}` })
      .waitFor();
    const rows = await drawn();
    expect(rows).toEqual(rows.map((_, place) => rows[0]! + place));
  }
  // Another order begins at its first row, wherever somebody was, and goes from there to any other.
  await page.getByRole("button", { name: "amount", exact: true }).click();
  await row(1)
    .filter({ hasText: String(orderCount - 1) })
    .waitFor();
  await page.getByLabel("Go to row").fill("60000");
  await page.keyboard.press("Enter");
  await row(60_000)
    .filter({ hasText: String(orderCount - 60_000) })
    .waitFor();
  await row(60_000).focus();
  await page.keyboard.press("Control+End");
  await row(orderCount).filter({ hasText: "Zoë" }).waitFor();
  await expect.poll(focused).toBe(orderCount);
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: `Row ${orderCount}` }).waitFor();
  await expectClean(visit);
  await page.goto(`${desk.url}/datasets/orders?at=99999999999&sort=nothing`);
  await page.getByText('There is no column of orders "nothing".').waitFor();
  await page.getByRole("button", { name: "Clear filters and order" }).click();
  await row(1).filter({ hasText: "Zoë" }).waitFor();
  await expectClean(visit, /400/);
});

test("keys lead from each part of a table on into the next and back, and to the first and last row of all", async () => {
  await using visit = await desk.visit("/datasets/orders");
  const { page } = visit;
  /** Presses a key, and expects the focus on this row, with what is in it. */
  const leads = async (key: string, number: number): Promise<void> => {
    await page.keyboard.press(key);
    await expect.poll(() => focusedRow(page), { message: key }).toBe(number);
    const text = `${number}Zoë ${number % 500}`;
    await page.locator("tr:focus", { hasText: text }).waitFor();
  };
  await page.locator('tr[aria-rowindex="2"]').focus();
  await leads("ArrowUp", 1);
  await leads("PageUp", 1);
  await leads("End", partCount);
  await leads("PageDown", partCount + 1);
  expect(new URL(page.url()).searchParams.get("at")).toBe(String(partCount + 1));
  await leads("ArrowUp", partCount);
  await leads("ArrowDown", partCount + 1);
  await leads("PageUp", partCount);
  await leads("ArrowUp", partCount - 1);
  await leads("PageDown", partCount); // No row is passed over.
  await leads("Control+End", orderCount);
  await leads("ArrowDown", orderCount);
  await leads("PageDown", orderCount);
  await leads("Home", 2 * partCount + 1);
  await leads("Control+Home", 1);
  await leads("Control+End", orderCount);
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: `Row ${orderCount}` }).waitFor();
  await expectClean(visit);
});
