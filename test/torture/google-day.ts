/**
 * A day of a project on Google Cloud, on stand-ins of its services: what it takes of each quota, what it costs, and
 * whether every row is there once.
 *
 * `node test/torture/google-day.ts` plays 100 tenants of 10 streams, every hour of a day, and takes 40 to 60 s of CPU for
 * each of them (39 minutes in all beside other work); `… google-day.ts 20 5 6` plays fewer tenants, streams and hours.
 */
import { printDay } from "./google-day/measure-day.ts";
import { playDay } from "./google-day/play-day.ts";

const [tenants = 100, streams = 10, hours = 24, seed = 7] = process.argv.slice(2).map(Number);
const startedAt = performance.now();
const day = await playDay({ tenants, streams, hours, seed }, (line) => console.log(line));
console.log(printDay(day));
const over = day.quotas.filter(({ used, limit }) => used > limit);
for (const { what, used, limit } of over) console.error(`OVER THE QUOTA: ${what}: ${used} of ${limit}`);
console.log(`every row once; ${Math.round((performance.now() - startedAt) / 1000)} s`);
process.exitCode = over.length === 0 ? 0 : 1;
