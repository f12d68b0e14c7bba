/**
 * Compares the scanner with the plain one on ever new answers: `node test/scan/fuzz-scanners.ts --seconds 600`, or one
 * answer again: `--seed 123`.
 */
import { parseArgs } from "node:util";
import { openPlainScanner, openScanner } from "../../src/scan/open-scanner.ts";
import { compareScanners } from "./compare-scanners.ts";
import { makeCase } from "./make-case.ts";
import { makeNumbers } from "./make-numbers.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const first = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const until = values.seed === undefined ? Date.now() + Number(values.seconds) * 1000 : 0;
let seed = first;
let records = 0;
try {
  do {
    for (const made of [makeCase(seed), makeNumbers(seed)]) {
      const pair = { plain: openPlainScanner(made.options), fast: openScanner(made.options) };
      records += compareScanners(pair, made);
    }
    seed += 1;
  } while (Date.now() < until);
  console.log(`${seed - first} cases, ${records} records, no difference (seeds ${first} to ${seed - 1})`);
} catch (difference) {
  console.error(`seed ${seed}: ${String(difference)}`);
  process.exitCode = 1;
}
