/** Logs: how soon a long one is there, and what a page holds while an hour of lines goes by. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Locator } from "playwright-core";
import {
  type ConsoleStand,
  type Figure,
  type Opened,
  painted,
  watchLongTasks,
  weigh,
} from "./console-stand.ts";
import { middle } from "./measure-rows.ts";

const count = new Intl.NumberFormat("en");

async function untilLines(opened: Opened, lines: number): Promise<void> {
  await opened.page
    .getByText(`${count.format(lines)} lines`)
    .first()
    .waitFor();
  await opened.page.locator("[data-line]").first().waitFor();
  await painted(opened.page);
}

/** A log of ten thousand lines, from its run's address to lines on the screen. */
export async function measureLog(stand: ConsoleStand, rounds: number): Promise<Figure[]> {
  const id = await stand.run("lines", { count: 10_000 });
  const { count: lines } = await stand.ask<{ count: number }>(`runs/${id}/logs/marks`);
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const beganAt = performance.now();
    await using opened = await stand.open(`/runs/${id}`);
    await untilLines(opened, lines);
    tookMs.push(performance.now() - beganAt);
  }
  return [{ what: "address to a log of 10,000 lines", found: middle(tookMs), unit: "ms", most: 2000 }];
}

/** A log of a million lines: of several workers, since one attempt of a run keeps 100,000 of its own. */
const millionLines = 1_000_000;

/** How soon a place in a log of any length is there, ms. */
const placeMs = 1000;

/** How long a search through a million lines may take, ms. */
const findMs = 5000;

/** Memory that such a log may cost the server, MB. */
const serverMbMax = 400;

/** Opens a log of a million lines, goes to its places, looks for what is far off, narrows it, takes it home. */
export async function measureMillion(stand: ConsoleStand): Promise<Figure[]> {
  const { serverMb: beforeMb } = stand.weighServer();
  const id = await stand.run("lines", { count: 1 });
  writeLines(stand, id, 1, millionLines);
  const { count: lines } = await stand.ask<{ count: number }>(`runs/${id}/logs/marks`);
  const beganAt = performance.now();
  await using opened = await stand.open(`/runs/${id}`);
  const { page } = opened;
  await untilLines(opened, lines);
  const openedMs = performance.now() - beganAt;
  const longest = await watchLongTasks(page);
  const line = (text: string | RegExp): Locator => page.locator("[data-line]", { hasText: text });
  const timed = async (act: () => Promise<unknown>, there: Locator): Promise<number> => {
    const from = performance.now();
    await act();
    await there.first().waitFor();
    await painted(page);
    return performance.now() - from;
  };
  const lastMs = await timed(
    () => page.getByRole("button", { name: "Last line" }).click(),
    line(`event ${millionLines} of ${millionLines} `),
  );
  const firstMs = await timed(
    () => page.getByRole("button", { name: "First line" }).click(),
    line(`event 1 of ${millionLines} `),
  );
  const found = millionLines - 123;
  const foundMs = await timed(
    () => page.getByLabel("Find in all lines").fill(`event ${found} of`),
    page.locator("mark", { hasText: `event ${found} of` }),
  );
  await page.getByLabel("Find in all lines").fill("");
  await page.getByRole("button", { name: /^Level/ }).click();
  const narrowedMs = await timed(
    () => page.getByRole("menuitemcheckbox", { name: /warn/ }).click(),
    page.getByText(`${count.format(millionLines / warnedEvery)} lines`),
  );
  const { heapMb, nodes } = await weigh(opened);
  const fileAt = performance.now();
  const file = await (await fetch(`${stand.url}/api/runs/${id}/logs/file`)).text();
  const fileMs = performance.now() - fileAt;
  const inFile = file.split("\n").length - 1;
  if (inFile !== lines) throw new Error(`the file has ${inFile} lines of ${lines}`);
  return [
    { what: "address to a log of 1,000,000 lines", found: openedMs, unit: "ms", most: 2000 },
    { what: "from there to its last line", found: lastMs, unit: "ms", most: placeMs },
    { what: "back to its first", found: firstMs, unit: "ms", most: placeMs },
    { what: "to a line that is found near its end", found: foundMs, unit: "ms", most: findMs },
    { what: "to those of one level", found: narrowedMs, unit: "ms", most: findMs },
    { what: "all of them as a file", found: fileMs, unit: "ms" },
    { what: "longest task of that page", found: await longest(), unit: "ms", most: 200 },
    { what: "its DOM nodes", found: nodes, unit: "", most: nodesMost },
    { what: "its heap", found: heapMb, unit: "MB", most: 60 },
    {
      what: "memory of the server, more than before",
      found: stand.weighServer().serverMb - beforeMb,
      unit: "MB",
      most: serverMbMax,
    },
  ];
}

/** Each so-many-th line is a warning. */
const warnedEvery = 1000;

/** Puts lines into the ledger, as several workers' lines come: one attempt of a run keeps 100,000 of its own. */
function writeLines(stand: ConsoleStand, id: string, from: number, to: number, of: number = to): void {
  using database = new DatabaseSync(join(stand.folder.path, ".leat/ledger.db"));
  database.exec("PRAGMA busy_timeout = 10000");
  const insert = database.prepare(
    "insert into log (run_id, attempt, writer, seq, at, level, message) values (?, 1, 'player', ?, ?, ?, ?)",
  );
  database.exec("begin immediate");
  for (let line = from; line <= to; line++) {
    const level = line % warnedEvery === 0 ? "warn" : "info";
    insert.run(id, line, Date.now(), level, `event ${line} of ${of} was read`);
  }
  database.exec("commit");
}

/** An hour of 200 lines a second. */
const hourLines = 200 * 3600;

/** Pause between two looks at what the page holds, ms. */
const lookMs = 10_000;

/** What may be held more at the end than in the middle, MB: garbage is collected before each look, and engines keep some. */
const growthMostMb = 8;

/** DOM nodes of a page that shows a screen of lines, with the graph and all else. */
const nodesMost = 5000;

/** Bursts of lines in a second, as those are that workers write. */
const bursts = 20;

async function playLines(
  stand: ConsoleStand,
  id: string,
  { perSecond, lines }: { perSecond: number; lines: number },
): Promise<void> {
  const beganAt = performance.now();
  const burst = Math.ceil(perSecond / bursts);
  for (let first = 1; first <= lines; first += burst) {
    writeLines(stand, id, first, Math.min(first + burst - 1, lines), lines);
    const restMs = ((first + burst) / perSecond) * 1000 - (performance.now() - beganAt);
    await new Promise((then) => setTimeout(then, Math.max(1, restMs)));
  }
}

/** Plays an hour's lines in some minutes before an open page that follows them. */
export async function measureHour(
  stand: ConsoleStand,
  { perSecond, lines = hourLines, say }: { perSecond: number; lines?: number; say: (line: string) => void },
): Promise<Figure[]> {
  const id = await stand.begin("held");
  await using opened = await stand.open(`/runs/${id}`);
  const { page } = opened;
  await page.locator("[data-line]").first().waitFor();
  const longest = await watchLongTasks(page);
  const beganAt = performance.now();
  const held: Awaited<ReturnType<typeof weigh>>[] = [];
  const ended = playLines(stand, id, { perSecond, lines })
    .then(() => stand.folder.write("let-go", ""))
    .then(() => stand.until(id))
    .then(() => true);
  for (let isOver = false; !isOver; ) {
    isOver = await Promise.race([ended, new Promise<false>((then) => setTimeout(() => then(false), lookMs))]);
    const now = await weigh(opened);
    held.push(now);
    say(
      `${Math.round((performance.now() - beganAt) / 1000)} s: ${now.heapMb.toFixed(1)} MB, ${now.nodes} nodes`,
    );
  }
  const tookS = (performance.now() - beganAt) / 1000;
  const { count: written } = await stand.ask<{ count: number }>(`runs/${id}/logs/marks`);
  await untilLines(opened, written);
  await page.locator("[data-line]", { hasText: `event ${lines} of ${lines} ` }).waitFor();
  const longestMs = await longest();
  await page.getByRole("button", { name: "First line" }).click();
  await page.locator("[data-line]", { hasText: `event 1 of ${lines} ` }).waitFor();
  const third = Math.floor(held.length / 3);
  const heap = (from: number, to?: number): number =>
    middle(held.slice(from, to).map(({ heapMb }) => heapMb));
  return [
    {
      what: `live lines, all ${count.format(lines)} of them shown at the end`,
      found: lines / tookS,
      unit: "a second",
    },
    { what: "heap in the first third", found: heap(0, third), unit: "MB" },
    { what: "in the second", found: heap(third, 2 * third), unit: "MB" },
    { what: "in the last", found: heap(2 * third), unit: "MB" },
    {
      what: "more in the last than in the second",
      found: heap(2 * third) - heap(third, 2 * third),
      unit: "MB",
      most: growthMostMb,
    },
    { what: "most DOM nodes", found: Math.max(...held.map(({ nodes }) => nodes)), unit: "", most: nodesMost },
    // The collections that each look forces are among them; a scenario of the test command judges tasks without.
    { what: "longest task of the page", found: longestMs, unit: "ms" },
  ];
}
