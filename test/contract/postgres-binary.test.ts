/** What leat writes in the binary form of COPY is what the server itself reads of the landed text. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";
import { makeStreamSpec } from "../../src/testing/warehouse-under-test.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { withBench } from "./postgres-place.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const records = 4000;
const random = createSeededRandom(20_261_121);
const digits = (least: number, most: number): string =>
  Array.from({ length: random.between(least, most) }, () => random.below(10)).join("");
const padded = (value: number, length: number): string => String(value).padStart(length, "0");
const sign = (): string => random.pick(["", "", "-"]);
/** As JSON writes it: no zero before other digits. */
const whole = (most: number): string => `${sign()}${BigInt(digits(1, most))}`;
const decimal = (wholeMax: number, scaleMax: number): string => {
  const plain = `${whole(wholeMax)}${random.chance(0.7) ? `.${digits(1, scaleMax)}` : ""}`;
  return random.chance(0.1) ? `${plain}e${random.between(-3, 0)}` : plain;
};
const double = (): string =>
  random.pick([
    () => decimal(7, 7),
    () => decimal(15, 5),
    () => decimal(30, 30),
    () => `${whole(3)}.${digits(1, 17)}e${random.between(-300, 290)}`,
  ])();
function date(): string {
  const year = random.pick([random.between(1, 9999), random.between(1890, 2110), 1900, 2000, 2024]);
  const month = random.between(1, 12);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(random.pick([1, last, random.between(1, last)]), 2)}`;
}
const naive = (): string => {
  const time = `${padded(random.below(24), 2)}:${padded(random.below(60), 2)}`;
  const seconds = random.chance(0.8) ? `:${padded(random.below(60), 2)}` : "";
  const fraction = seconds !== "" && random.chance(0.6) ? `.${digits(1, 6)}${random.pick(["", "00"])}` : "";
  return `${date()}${random.pick(["T", " "])}${time}${seconds}${fraction}`;
};
const zone = (): string => {
  const hours = `${random.pick(["+", "-"])}${padded(random.below(16), 2)}`;
  const minutes = padded(random.below(60), 2);
  return random.pick(["Z", hours, `${hours}${minutes}`, `${hours}:${minutes}`]);
};

/** A column's type, how the server names it, and a value as JSON. */
const cases = {
  whole: ["bigint", { type: "bigint" }, () => whole(18)],
  huge: ["numeric", { type: "hugeint" }, () => whole(38)],
  price: ["numeric", { type: "decimal", precision: 38, scale: 13 }, () => decimal(25, 10)],
  ratio: ["double precision", { type: "double" }, double],
  day: ["date", { type: "date" }, () => JSON.stringify(date())],
  at: ["timestamp", { type: "timestamp" }, () => JSON.stringify(random.pick([date, naive])())],
  when: ["timestamptz", { type: "timestamptz" }, () => JSON.stringify(`${naive()}${zone()}`)],
} as const;

test("numbers, dates and times of every form are equal to what the server reads of their text", async () => {
  await withBench(server, async (bench) => {
    const types = Object.entries(cases);
    const stream = makeStreamSpec({
      columns: Object.fromEntries(
        types.flatMap(([name, [, type]]) => [
          [name, type],
          [`${name}_text`, { type: "text" }],
        ]),
      ),
    });
    const lines = Array.from({ length: records }, (_, id) => {
      const fields = types.map(([name, [, , make]]) => {
        const value = make();
        return `"${name}":${value},"${name}_text":${value.startsWith('"') ? value : JSON.stringify(value)}`;
      });
      return `{"id":${id},${fields.join(",")}}`;
    });
    await bench.loadRecords(stream, lines);
    expect(await bench.rows('SELECT "column", reason, record FROM _leat_rejects')).toEqual([]);
    expect(await bench.values(`SELECT count(*) FROM ${stream.landingTable}`)).toEqual([records]);
    for (const [name, [type]] of types) {
      const unequal = await bench.rows(
        `SELECT "${name}_text", "${name}"::text FROM ${stream.landingTable}
         WHERE "${name}"::text IS DISTINCT FROM CAST("${name}_text" AS ${type})${
           name === "price" ? "::numeric(38,13)" : ""
}::text LIMIT 5`,
      );
      expect(unequal, name).toEqual([]);
    }
  });
});
