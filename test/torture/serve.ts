/**
 * `node test/torture/serve.ts [SEED] [SECONDS]`: a server under everything that the public sends at once, some two
 * minutes. Ends with 1 when an answer failed, was of two versions, or memory kept growing.
 */
import { tortureServe } from "../server-data/torture-serve.ts";

const seed = Number(process.argv[2] ?? Date.now() % 1e6);
const seconds = Number(process.argv[3] ?? 120);
const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
say(`seed ${seed}, ${seconds} seconds`);
const { faults, told } = await tortureServe({
  seed,
  seconds,
  areas: 20_000,
  slowReaders: 1000,
  askers: 16,
  leavers: 8,
  swapEveryMs: 5000,
  say,
});
for (const line of told) say(line);
for (const fault of faults) say(`FAULT ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
