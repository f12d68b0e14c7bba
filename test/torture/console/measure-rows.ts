/** How soon rows of a dataset are painted, by a server that has just been started and by one that knows them. */
import type { Page } from "playwright-core";
import { type ConsoleStand, type Figure, painted, watchLongTasks, weigh } from "./console-stand.ts";

/** What a person takes for at once, ms. */
const firstRowsMs = 1000;

async function untilRows(page: Page, name: string): Promise<void> {
  await page
    .getByRole("grid", { name: `Rows of ${name}` })
    .getByRole("row")
    .nth(10)
    .waitFor();
  await painted(page);
}

/** Until a question is answered that takes all rows. The server lets nobody wait for longer than half a minute. */
async function untilWhole(stand: ConsoleStand, name: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${stand.url}/api/data/datasets/${name}/rows?limit=1&sort=-amount`);
    await answer.body?.cancel();
    if (answer.ok) return;
    if (answer.status !== 503) throw new Error(`${name}: ${answer.status}`);
  }
}

/** From the click on its name in the list to its rows. */
async function click(stand: ConsoleStand, name: string): Promise<number> {
  await using opened = await stand.open("/datasets");
  const link = opened.page.getByRole("link", { name, exact: true });
  await link.waitFor();
  const beganAt = performance.now();
  await link.click();
  await untilRows(opened.page, name);
  return performance.now() - beganAt;
}

/** From the address to its rows, with all the console's own files. */
async function goTo(stand: ConsoleStand, name: string): Promise<number> {
  const beganAt = performance.now();
  await using opened = await stand.open(`/datasets/${name}`);
  await untilRows(opened.page, name);
  return performance.now() - beganAt;
}

/** @param rounds - servers that are started anew; the middle one counts. */
export async function measureRows(stand: ConsoleStand, name: string, rounds: number): Promise<Figure[]> {
  const cold: number[] = [];
  const coldAddress: number[] = [];
  const wholeMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await stand.start();
    cold.push(await click(stand, name));
    await stand.start();
    const beganAt = performance.now();
    coldAddress.push(await goTo(stand, name));
    await untilWhole(stand, name);
    wholeMs.push(performance.now() - beganAt);
  }
  const warm: number[] = [];
  for (let round = 0; round < rounds; round++) warm.push(await click(stand, name));
  return [
    { what: `${name}: click to first rows, cold`, found: middle(cold), unit: "ms", most: firstRowsMs },
    {
      what: `${name}: address to first rows, cold`,
      found: middle(coldAddress),
      unit: "ms",
      most: 2 * firstRowsMs,
    },
    { what: `${name}: the same to a sorted page, cold`, found: middle(wholeMs), unit: "ms" },
    { what: `${name}: click to first rows, warm`, found: middle(warm), unit: "ms", most: firstRowsMs },
  ];
}

/** A table that is gone through: to a row in its middle by its number, and on from there. */
export async function measureTable(stand: ConsoleStand, name: string, rows: number): Promise<Figure[]> {
  await untilWhole(stand, name);
  await using opened = await stand.open(`/datasets/${name}`);
  const { page } = opened;
  await untilRows(page, name);
  const before = await weigh(opened);
  const longest = await watchLongTasks(page);
  const wanted = Math.floor(rows / 2) + 321;
  await page.getByLabel("Go to row").fill(String(wanted));
  const beganAt = performance.now();
  await page.keyboard.press("Enter");
  await page.locator(`tr[aria-rowindex="${wanted + 1}"]`, { hasText: `order ${wanted} of` }).waitFor();
  await painted(page);
  const goneMs = performance.now() - beganAt;
  await page.locator(`tr[aria-rowindex="${wanted + 1}"]`).focus();
  for (let turn = 0; turn < 100; turn++) await page.keyboard.press("PageDown");
  const last = await page.evaluate<string>(
    "Math.max(...[...document.querySelectorAll('tr[aria-rowindex]')].map((row) => row.ariaRowIndex)).toString()",
  );
  await page.locator(`tr[aria-rowindex="${last}"]`, { hasText: `order ${Number(last) - 1} of` }).waitFor();
  const after = await weigh(opened);
  return [
    { what: `${name}: to row ${wanted} by its number`, found: goneMs, unit: "ms", most: firstRowsMs },
    { what: `${name}: rows gone through by keys from there`, found: Number(last) - wanted, unit: "" },
    { what: `${name}: longest task of the page`, found: await longest(), unit: "ms", most: 200 },
    { what: `${name}: DOM nodes`, found: after.nodes, unit: "", most: 5000 },
    { what: `${name}: heap more than before`, found: after.heapMb - before.heapMb, unit: "MB", most: 40 },
  ];
}

export const middle = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
