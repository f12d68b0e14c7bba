/** How soon rows of a dataset are painted, by a server that has just been started and by one that knows them. */
import type { Page } from "playwright-core";
import { type ConsoleStand, type Figure, painted } from "./console-stand.ts";

/** What a person takes for at once, ms. */
export const firstRowsMs = 1000;

export async function untilRows(page: Page, name: string): Promise<void> {
  await page
    .getByRole("grid", { name: `Rows of ${name}` })
    .getByRole("row")
    .nth(10)
    .waitFor();
  await painted(page);
}

/** Longest wait until all of a version is in memory, ms. */
const wholeMsMax = 5 * 60_000;

/** Until a question is answered that takes all rows. The server lets nobody wait for longer than half a minute. */
export async function untilWhole(stand: ConsoleStand, name: string): Promise<void> {
  for (const endMs = Date.now() + wholeMsMax; ; ) {
    const answer = await fetch(`${stand.url}/api/data/datasets/${name}/rows?limit=1&sort=-amount`);
    await answer.body?.cancel();
    if (answer.ok) return;
    if (answer.status !== 503 || Date.now() > endMs) throw new Error(`${name}: ${answer.status}`);
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

export const middle = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
