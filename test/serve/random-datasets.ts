/** Datasets drawn at random: names that mean something elsewhere, every type, values at the edges of each. */
import fc from "fast-check";
import type { PublishedColumn, PublishedSchema } from "../../src/model/dataset-manifest.ts";
import { NaiveTable } from "./naive-query.ts";
import { type Cell, column, type Row, schemaOf } from "./published-versions.ts";

/** Names of parameters and operators, of the engine's own columns, and those that must be escaped somewhere. */
const names = [
  "a",
  "a.eq",
  "limit",
  "sort",
  "cursor",
  "columns",
  "été",
  'q"uote',
  "with space",
  "x,y",
  "-neg",
  "rowid",
  "c0",
  "day",
  "day.year",
  "select",
  "%",
  "a&b=c",
  "_leat_at",
  "__proto__x",
  "values",
];

/** Values by type, as texts that the engine reads and answers have. */
const pools: Readonly<Record<string, readonly string[]>> = {
  text: [
    "",
    "a",
    "A",
    "b,c",
    '"',
    '"q"',
    "é",
    "日本",
    "😀",
    "x\ny",
    "100%",
    "a_b",
    "\\",
    "null",
    "O'Brien",
    "a\u0001b",
    " pad ",
  ],
  bigint: ["0", "-1", "1", "7", "2018", "9007199254740991", "9007199254740993", "-9223372036854775807"],
  double: ["0", "0.1", "-2.25", "1e+21", "1e-7", "3", "123456.5", "Infinity", "-Infinity", "NaN"],
  boolean: ["true", "false"],
  date: [
    "2018-01-31",
    "2018-02-28",
    "2020-02-29",
    "1969-12-31",
    "0001-01-01",
    "9999-12-31",
    "infinity",
    "-infinity",
  ],
  timestamp: [
    "2018-01-31T06:30:00",
    "2018-01-31T06:30:00.5",
    "2018-01-31T06:30:00.000001",
    "1969-12-31T23:59:59.999999",
    "2020-12-28T00:00:00",
  ],
  timestamptz: [
    "2018-01-31T06:30:00Z",
    "2018-01-31T06:30:00.25Z",
    "2018-07-01T23:30:00Z",
    "1900-01-01T00:00:00Z",
  ],
  "decimal(9,2)": ["0.00", "-0.01", "12.50", "9999999.99", "-9999999.99", "3.00"],
  "decimal(38,10)": ["0.0000000001", "1.5000000000", "1234567890123456789012345.0123456789"],
  "decimal(18,0)": ["0", "5", "-12", "999999999999999999"],
  json: ['{"a":1}', "[1,2]", '"text"', "null", "12345678901234567890", '{"b":{"c":null}}'],
};

export const typeNames: readonly string[] = Object.keys(pools);
export const poolOf = (type: string): readonly string[] => pools[type]!;

/** Values that a parameter can name. */
export const askable = (type: string): readonly string[] =>
  poolOf(type).filter((text) => !/^(-?infinity|NaN)$/i.test(text));

export type RandomDataset = Readonly<{ schema: PublishedSchema; rows: readonly Row[]; table: NaiveTable }>;

/** A dataset with a column `id` that makes its order total. */
export const randomDataset: fc.Arbitrary<RandomDataset> = fc
  .uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 5 })
  .chain((chosen) =>
    fc.record({
      names: fc.constant(chosen),
      types: fc.array(fc.constantFrom(...typeNames), { minLength: chosen.length, maxLength: chosen.length }),
      /** How far a value of each column is drawn from its pool: few values make groups, many make lookups. */
      rowCount: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 9, max: 120 })),
      seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      led: fc.integer({ min: 0, max: chosen.length }),
    }),
  )
  .map(({ names: chosen, types, rowCount, seed, led }) => {
    const columns: PublishedColumn[] = [
      ...chosen.map((name, at) => column(name, types[at]!, { isNullable: true })),
      column("id", "bigint"),
    ];
    const next = randomNumbers(seed);
    const rows = Array.from(
      { length: rowCount },
      (_, row): Row => [
        ...types.map((type): Cell => (next(6) === 0 ? null : poolOf(type)[next(poolOf(type).length)]!)),
        String(row),
      ],
    );
    const sorted = columns.map((_, at) => at).filter((at) => at < led && types[at] !== "json");
    const order = [...sorted, columns.length - 1];
    const sort = order.map((at) => columns[at]!.name);
    const schema = schemaOf(columns, { key: ["id"], sort });
    const table = new NaiveTable(
      columns,
      rows,
      order.map((at) => ({ column: at, isDescending: false })),
    );
    return { schema, rows, table };
  });

/** Whole numbers below a bound, the same for the same seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = (Math.imul(state ^ (state >>> 12), 0x297a2d39) + 0x9e3779b9) | 0;
    return (state >>> 0) % below;
  };
}
