import * as engine from "@duckdb/node-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTimestamp } from "../../model/cursor.ts";
import { openValueConverter } from "./query-values.ts";

const convert = openValueConverter(engine);
const print = (micros: bigint): unknown =>
  convert(new engine.DuckDBTimestampValue(micros), engine.TIMESTAMP, convert);

/** As long as it takes, digit by digit. */
const exact = (micros: bigint): string => {
  const [seconds, fraction = ""] = formatTimestamp(micros).slice(0, -1).split(".");
  const digits = fraction.replace(/0+$/, "");
  return `${seconds}${digits === "" ? "" : `.${digits}`}`;
};

/** The year 1 to the year 9999, µs. */
const years = { min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n };

test("times of whole seconds, which are printed the short way, are printed as all others are", () => {
  const seconds = fc.bigInt({ min: years.min / 1_000_000n, max: years.max / 1_000_000n });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.bigInt(years),
        seconds.map((one) => one * 1_000_000n),
      ),
      (micros) => {
        expect(print(micros)).toBe(exact(micros));
      },
    ),
  );
  expect(print(-1n)).toBe("1969-12-31T23:59:59.999999");
  expect(print(10_000_000n)).toBe("1970-01-01T00:00:10");
  expect(print(9_223_372_036_854_775_807n)).toBe("infinity");
});
