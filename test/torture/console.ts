/**
 * The console with much in it, in a real Chromium: what people wait for, what a page holds, and limits for both.
 *
 * `node test/torture/console.ts [--only rows,table,chart,log,million,home,tasks,hour] [--rows 1000000,10000000] [--small]`:
 * some ten minutes on a quiet machine; the exit code says whether all limits held. `npm run build:ui` before.
 */
import { parseArgs } from "node:util";
import { type ConsoleStand, type Figure, openConsoleStand } from "./console/console-stand.ts";
import { measureHour, measureLog, measureMillion } from "./console/measure-logs.ts";
import { measureRows } from "./console/measure-rows.ts";
import { measureHome, measureTasks } from "./console/measure-runs.ts";
import { measureChart, measureTable } from "./console/measure-table.ts";

const { values: asked } = parseArgs({
  options: {
    only: { type: "string" },
    rows: { type: "string", default: "1000000,10000000" },
    small: { type: "boolean", default: false },
  },
});
const sizes = asked.small ? [100_000] : asked.rows.split(",").map(Number);
const wanted = asked.only?.split(",") ?? [
  "rows",
  "table",
  "chart",
  "log",
  "million",
  "home",
  "tasks",
  "hour",
];
const needsRows = wanted.some((part) => ["rows", "table", "chart"].includes(part));
const datasets = Object.fromEntries((needsRows ? sizes : []).map((rows) => [`orders_${rows}`, rows]));
const rounds = 3;

/** Of a dataset with more rows than this one cold start is tried: the whole of it takes most of a minute each time. */
const longRows = 2_000_000;

const parts: Readonly<Record<string, (stand: ConsoleStand) => Promise<Figure[]>>> = {
  rows: async (stand) => {
    const figures: Figure[] = [];
    for (const [name, rows] of Object.entries(datasets))
      figures.push(...(await measureRows(stand, name, rows > longRows ? 1 : rounds)));
    return figures;
  },
  table: async (stand) => {
    const rows = Math.max(...sizes);
    return await measureTable(stand, `orders_${rows}`, rows);
  },
  chart: async (stand) => {
    const rows = Math.min(...sizes);
    return await measureChart(stand, `orders_${rows}`, rows);
  },
  log: async (stand) => measureLog(stand, rounds),
  million: async (stand) => measureMillion(stand),
  home: async (stand) => measureHome(stand, 10_000, rounds),
  tasks: async (stand) => measureTasks(stand, 5000),
  // Thirty times as fast as lines come: an hour in two minutes.
  hour: async (stand) => measureHour(stand, { perSecond: 6000, say, ...(asked.small && { lines: 120_000 }) }),
};

const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
let failed = 0;
await using stand = await openConsoleStand(datasets, say);
await stand.start();
for (const name of wanted) {
  const part = parts[name];
  if (part === undefined)
    throw new Error(`There is no part "${name}"; there are ${Object.keys(parts).join(", ")}.`);
  // A part that does not come to its end has not held, and the others are tried all the same.
  const figures = await part(stand).catch((error: unknown) => {
    failed += 1;
    say(`${name}: FAILED, ${String(error).split("\n")[0]}`);
    return [];
  });
  for (const { what, found, unit, most } of figures) {
    const isOver = most !== undefined && !(found <= most);
    if (isOver) failed += 1;
    const limit = most === undefined ? "" : ` (at most ${most})${isOver ? " FAILED" : ""}`;
    say(`${what}: ${Math.round(found * 10) / 10} ${unit}${limit}`);
  }
}
say(failed === 0 ? "all limits held" : `${failed} limits did not hold`);
process.exitCode = failed === 0 ? 0 : 1;
