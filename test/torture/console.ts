/**
 * The console with much in it, in a real Chromium: what people wait for, what a page holds, and limits for both.
 *
 * `node test/torture/console.ts [--only rows,table,log,home,tasks,hour] [--small]`: some ten minutes; the exit code says
 * whether all limits held. `npm run build:ui` before.
 */
import { parseArgs } from "node:util";
import { type ConsoleStand, type Figure, openConsoleStand } from "./console/console-stand.ts";
import { measureRows } from "./console/measure-rows.ts";

const { values: asked } = parseArgs({
  options: { only: { type: "string" }, small: { type: "boolean", default: false } },
});
const datasets = asked.small ? { million: 100_000 } : { million: 1_000_000, ten_million: 10_000_000 };
const rounds = 3;

const parts: Readonly<Record<string, (stand: ConsoleStand) => Promise<Figure[]>>> = {
  rows: async (stand) => {
    const figures: Figure[] = [];
    for (const name of Object.keys(datasets)) figures.push(...(await measureRows(stand, name, rounds)));
    return figures;
  },
};

const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
const wanted = asked.only?.split(",") ?? Object.keys(parts);
let failed = 0;
await using stand = await openConsoleStand(datasets, say);
await stand.start();
for (const name of wanted) {
  const part = parts[name];
  if (part === undefined)
    throw new Error(`There is no part "${name}"; there are ${Object.keys(parts).join(", ")}.`);
  for (const { what, found, unit, most } of await part(stand)) {
    const isOver = most !== undefined && !(found <= most);
    if (isOver) failed += 1;
    const limit = most === undefined ? "" : ` (at most ${most})${isOver ? " FAILED" : ""}`;
    say(`${what}: ${Math.round(found * 10) / 10} ${unit}${limit}`);
  }
}
say(failed === 0 ? "all limits held" : `${failed} limits did not hold`);
process.exitCode = failed === 0 ? 0 : 1;
