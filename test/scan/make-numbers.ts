/** One row of very many numbers around the edges of doubles, each in a column of its own, so that each one tells. */
import { parseRecordSelector } from "../../src/model/record-selector.ts";
import type { ScanCase } from "./compare-scanners.ts";
import { makeRandom } from "./make-random.ts";

const columnCount = 2000;

/** The row of a seed: always the same. */
export function makeNumbers(seed: number): ScanCase {
  const random = makeRandom(seed);
  const members = Array.from({ length: columnCount }, (_, i) => `"c${i}":${makeNumber(random)}`);
  const bytes = Buffer.from(`[{${members.join(",")}}]`);
  return {
    options: { selector: parseRecordSelector(""), fields: [], reserved: [] },
    documents: [{ bytes, sizes: [bytes.length] }],
  };
}

function makeNumber(random: () => number): string {
  const below = (limit: number) => Math.floor(random() * limit);
  const value =
    random() < 0.9 ? random() * 10 ** (below(20) - 4) : besidePowerOfTwo(below(60) - 10, below(5) - 2);
  const spelt = [
    () => String(value),
    () => value.toPrecision(15 + below(4)), // Around what a double can hold.
    () => value.toFixed(below(20)),
  ][below(3)]!();
  const last = random() < 0.4 ? spelt.replace(/\d$/, String(below(10))) : spelt;
  return `${random() < 0.2 ? "-" : ""}${last}${random() < 0.1 && last.includes(".") && !last.includes("e") ? "000" : ""}`;
}

/** Where the distance between doubles changes. */
function besidePowerOfTwo(exponent: number, steps: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, 2 ** exponent);
  view.setBigUint64(0, view.getBigUint64(0) + BigInt(steps));
  return view.getFloat64(0);
}
