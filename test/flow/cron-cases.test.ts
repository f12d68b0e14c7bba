/** Cron expressions against published tables; where leat's rule for changes of the clock is another, ours is stated. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { scheduleSchema } from "../../src/flow/schedule-declaration.ts";
import { listTicks, readTicks, type TickReader } from "../../src/flow/ticks.ts";

function readCases<T>(name: string, schema: z.ZodType<T>): readonly T[] {
  const path = fileURLToPath(new URL(`../golden/cron-cases/${name}.json`, import.meta.url));
  return z.array(schema).parse(JSON.parse(readFileSync(path, "utf8")));
}

const activations = readCases(
  "activation_five_fields",
  z.object({ at: z.string(), spec: z.string(), fires: z.boolean() }),
);
const nexts = readCases(
  "next_six_fields_and_dst",
  z.object({ after: z.string(), spec: z.string(), next: z.string() }),
);

/** `Mon Jul 9 15:00 2012` (UTC; its weekday is not to be trusted) or `2012-03-11T00:00:00-0500`. */
const toMs = (text: string): number =>
  /^\d{4}-/.test(text)
    ? Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"))
    : Date.parse(`${text.replace(/^\w+ /, "")} UTC`);

/** The zone that stands in front of a text of the tables, and the rest. */
function splitZone(text: string): Readonly<{ zone: string | undefined; rest: string }> {
  const match = /^(?:CRON_)?TZ=(\S+) (.*)$/.exec(text);
  return { zone: match?.[1], rest: match?.[2] ?? text };
}

const readCron = (cron: string, timezone: string): TickReader => readTicks({ kind: "cron", cron, timezone });

/**
 * What leat does otherwise, by `spec` and `after`. An expression that names times of the day (no star or step in its
 * hours and minutes) happens once on each of its days: what the clock skips is done when it goes on, and what comes
 * twice is done the first time. The tables leave the first out and do the second twice.
 */
const ours: Readonly<Record<string, string>> = {
  "TZ=America/New_York 0 30 2 11 Mar ? | 2012-03-11T00:00:00-0500": "2012-03-11T03:00:00-0400",
  "TZ=America/New_York 0 0 2 * * ? | 2012-03-11T00:00:00-0500": "2012-03-11T03:00:00-0400",
  "TZ=America/New_York 0 30 1 04 Nov ? | 2012-11-04T01:45:00-0400": "2013-11-04T01:30:00-0500",
  "TZ=America/New_York 0 0 1 * * ? | 2012-11-04T01:00:00-0400": "2012-11-05T01:00:00-0500",
  "0 0 1 * * ? | TZ=America/New_York 2012-11-04T01:00:00-0400": "2012-11-05T01:00:00-0500",
};

test("the tables are whole", () => {
  expect([activations.length, nexts.length]).toEqual([29, 58]);
});

test.each(activations)("$spec at $at: $fires", ({ at, spec, fires }) => {
  const ms = toMs(at);
  const reader = readCron(spec, "UTC");
  expect(reader.next(ms - 1) === ms).toBe(fires);
  expect(reader.last(ms) === ms).toBe(fires);
});

test.each(nexts)("$spec after $after", ({ after, spec, next }) => {
  const [own, given] = [splitZone(spec), splitZone(after)];
  const afterMs = toMs(given.rest);
  const expected = ours[`${spec} | ${after}`] ?? next;
  const zone = own.zone ?? given.zone ?? "UTC";
  if (expected === "") {
    const refused = scheduleSchema.safeParse({ cron: own.rest, timezone: zone });
    expect(refused.error?.issues.map(({ message }) => message)).toEqual([`"${own.rest}" never fires`]);
    return;
  }
  const reader = readCron(own.rest, zone);
  const found = reader.next(afterMs);
  expect(found === undefined ? undefined : new Date(found)).toEqual(new Date(toMs(expected)));
  expect(reader.last(found!)).toBe(found);
  expect(reader.last(found! - 1) ?? Number.NEGATIVE_INFINITY).toBeLessThanOrEqual(afterMs);
});

test("each difference is of a case that is in the tables", () => {
  const known = new Map(nexts.map(({ spec, after, next }) => [`${spec} | ${after}`, next]));
  for (const [key, expected] of Object.entries(ours)) {
    expect(known.has(key)).toBe(true);
    expect(expected).not.toBe(known.get(key));
  }
});

test("a zone in front of an expression is refused, with where to write it", () => {
  const refused = scheduleSchema.safeParse({ cron: "TZ=Europe/London 0 6 * * *" });
  expect(refused.error?.issues[0]?.message).toContain("write it as `timezone`");
});

test.each([
  [
    "the short day",
    "2026-03-29T00:00:00Z",
    "2026-03-29T23:00:00Z",
    { "0 * * * *": 23, "30 1 * * *": 1, "0 0 * * *": 1 },
  ],
  [
    "the long day",
    "2026-10-24T23:00:00Z",
    "2026-10-26T00:00:00Z",
    { "0 * * * *": 25, "30 1 * * *": 1, "0 0 * * *": 1 },
  ],
])("on %s intervals go by real time, and named times happen once", (_day, from, until, expected) => {
  const span = { fromMs: Date.parse(from) - 1, untilMs: Date.parse(until) - 1 };
  const counts = Object.keys(expected).map((cron) => [
    cron,
    listTicks(readCron(cron, "Europe/London"), span, 100).length,
  ]);
  expect(Object.fromEntries(counts)).toEqual(expected);
});
