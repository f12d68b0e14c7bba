/**
 * What one schedule is about, drawn from its seed: the stream's declaration, the partner's API and habits, the faults,
 * and the processes that run. Only what the protocol assumes of a partner is kept: nothing is shown later than `lag`
 * after its value, and clocks differ by less than the tolerance.
 */
import {
  type CursorFormat,
  type CursorValue,
  earliestUs,
  type ParameterFormat,
  secondUs,
} from "../../src/model/cursor.ts";
import type { CursorSpec, RangeSpec, Stability, StreamSpec } from "../../src/model/stream.ts";
import type { PartnerApi, SeededRandom } from "../../src/testing/index.ts";
import { type FaultRates, noFaults } from "./interleaving.ts";

/** How the partner writes and delays what it shows. All times ms. */
export type PartnerHabits = Readonly<{
  keyCount: number;
  hasKeys: boolean;
  /** Records before the first run. */
  initialCount: number;
  changeCount: number;
  /** Mean pause between changes. */
  changeEveryMs: number;
  /** Values are cut to a multiple of this. */
  gridMs: number;
  /** Each change is stamped by one of several clocks, off by up to this. */
  skewMs: number;
  /** Longest time from a change to its being visible. */
  delayMs: number;
  /** `iso-z`, `iso-offset`, `iso-naive` (in the stream's zone), `date`, `epoch-s`, `epoch-ms`, `integer`. */
  style: "iso-z" | "iso-offset" | "iso-naive" | "date" | "epoch-s" | "epoch-ms" | "integer";
  /** Shares of changes: a value from the future, none, `0001-01-01`; removals; records that cannot be rows. */
  future: number;
  missing: number;
  never: number;
  removals: number;
  broken: number;
}>;

/** A process to start. */
export type PlannedRun = Readonly<{
  kind: "extract" | "refresh" | "backfill" | "load" | "edit" | "gc";
  tenant: number;
  idempotencyKey: string | undefined;
}>;

/** One schedule's plan. */
export type Scenario = Readonly<{
  spec: StreamSpec;
  api: PartnerApi;
  habits: PartnerHabits;
  tenantCount: number;
  partitions: readonly string[];
  startMs: number;
  /** The partner's clock is ahead of the true time by this. */
  partnerSkewMs: number;
  /** Clocks of processes are off by up to this. */
  localSkewMs: number;
  paceMs: number;
  jumpMs: number;
  rates: FaultRates;
  /** Share of requests that fail, and of answers that break off. */
  sourceFailures: number;
  /** Share of requests, and of answers, that take up to `slowMs`. */
  slowAnswers: number;
  slowMs: number;
  runs: readonly PlannedRun[];
  concurrentMax: number;
}>;

const ms = (value: number): CursorValue => BigInt(value) * 1000n;

/** Draws a scenario. */
export function drawScenario(random: SeededRandom): Scenario {
  const family = random.pick([
    "merge",
    "merge",
    "merge",
    "append",
    "append",
    "replace",
    "integer",
    "whole",
  ] as const);
  const scale = family !== "integer" && random.chance(0.25) ? "day" : "second";
  const unitMs = scale === "day" ? 86_400_000 : 1000;
  const isSimple = random.chance(0.15);
  const hasKeys = family !== "append";
  const style = drawStyle(random, family, scale);
  const zone = random.pick(["UTC", "America/Denver", "Asia/Kolkata"]);
  const gridMs =
    style === "date"
      ? 86_400_000
      : style === "epoch-ms"
        ? random.pick([1, 1000])
        : unitMs === 1000
          ? 1000
          : 3_600_000;
  const skewMs = random.chance(0.5) ? 0 : random.between(1, 3) * 1000;
  const delayMs = random.pick([
    0,
    0,
    random.between(500, 5000),
    scale === "day" ? random.between(1, 20) * 3_600_000 : 3000,
  ]);
  const integerLag = random.between(0, 4);
  // Tight: one millisecond less, and the partner would break its promise.
  const dayMax = 25 * 3_600_000; // On the day that clocks are set back.
  const lagMs =
    (style === "date" ? dayMax : gridMs) +
    skewMs +
    delayMs +
    (random.chance(0.3) ? random.between(1, 5) * 1000 : 0);
  const startMs = random.pick([Date.UTC(2026, 0, 15, 3), Date.UTC(2026, 2, 7, 5), Date.UTC(2026, 9, 31, 20)]);
  const replaceOnly = family === "replace";
  const habits: PartnerHabits = {
    keyCount: random.between(3, 10),
    hasKeys,
    initialCount: random.between(0, 8),
    changeCount: random.between(5, 30),
    changeEveryMs: scale === "day" ? random.between(500, 8000) * 1000 : random.between(200, 3000),
    gridMs,
    skewMs,
    delayMs,
    style,
    future: random.chance(0.3) && style !== "integer" ? 0.15 : 0,
    missing: random.chance(0.3) ? 0.15 : 0,
    never: random.chance(0.2) && style.startsWith("iso") ? 0.1 : 0,
    removals: hasKeys && random.chance(0.3) ? 0.1 : 0,
    broken: random.chance(0.15) ? 0.1 : 0,
  };
  const cursor =
    replaceOnly && random.chance(0.5)
      ? undefined
      : drawCursor(random, { family, scale, style, zone, lagMs, integerLag, startMs });
  const [paging, stability] = drawPaging(random, cursor, family);
  const range = cursor?.range;
  const isSorted = cursor !== undefined && paging !== "offset" && random.chance(0.5);
  const order = isSorted
    ? random.pick(["cursor", "cursor", "broken"] as const)
    : random.pick(["cursor", "arrival", "mixed"] as const);
  const api: PartnerApi = {
    pageSize: random.between(1, 4),
    paging,
    order: paging === "keyset" ? "cursor" : order,
    start:
      range === undefined || range.isStartInclusive ? "at" : random.pick(["after", "after-unit"] as const),
    end: random.pick(["before", "at", "whole-unit"] as const),
    // A record without a value that comes while another leaves would hide a shift from a comparison of totals.
    showsMissing: paging !== "total" && random.chance(0.5),
    sendsDate: random.chance(0.75),
    form: random.pick(["array", "items", "lines"] as const),
  };
  const partitions = family !== "integer" && random.chance(0.15) ? ["north", "south"] : [""];
  const toleranceMs = 20_000 + (scale === "day" ? 6 * 3_600_000 : 0);
  const spec: StreamSpec = {
    source: "partner",
    name: "records",
    primaryKey: hasKeys ? ["id"] : [],
    cursor,
    writeDisposition: hasKeys ? (replaceOnly ? "replace" : "merge") : "append",
    contract: "evolve",
    columns: {},
    volatileFields: [],
    isSorted,
    trustOrder: isSorted && api.order === "cursor" && random.chance(0.3),
    stability,
    currentBy: random.chance(0.7) ? "cursor" : "arrival",
    deletedField: undefined,
    isMaterialized: false,
    landingTable: "partner_records",
    partitions:
      partitions.length === 1
        ? undefined
        : { from: "tenant", field: "places", column: random.chance(0.5) ? "place" : undefined },
    bounds: {
      pagesMax: 500,
      passesMax: 30,
      windowsMax: random.chance(0.3) ? random.between(1, 4) : 500,
      quarantineShareMax: 1,
      checkpointBytes: random.pick([1, 1, 300, 1_000_000]),
      runMsMax: random.chance(0.2) ? unitMs * 30 : unitMs * 300,
      shrinkShareMin: random.chance(0.5) ? 0 : 0.5,
      clockToleranceMs: toleranceMs,
    },
  };
  const clockSkewMs = (toleranceMs / 2) * random.pick([0, 0.1, 0.8]);
  return {
    spec,
    api,
    habits,
    tenantCount: random.chance(0.3) ? 2 : 1,
    partitions,
    startMs,
    partnerSkewMs: Math.round((random.fraction() * 2 - 1) * clockSkewMs),
    localSkewMs: Math.floor(clockSkewMs),
    paceMs: scale === "day" ? 300_000 : random.pick([50, 300]),
    jumpMs: unitMs * 20,
    rates: isSimple ? noFaults : drawRates(random),
    sourceFailures: isSimple || random.chance(0.5) ? 0 : 0.02,
    slowAnswers: random.chance(0.5) ? 0 : 0.1,
    slowMs: unitMs * 10,
    // To go on from where a person says after the order was broken is that person's decision to lose records.
    runs: drawRuns(random, family).filter((run) => run.kind !== "edit" || api.order !== "broken"),
    concurrentMax: random.between(1, 3),
  };
}

function drawRates(random: SeededRandom): FaultRates {
  return {
    refuse: random.pick([0, 0.01, 0.03]),
    loseAnswer: random.pick([0, 0.02, 0.1]),
    lateEffect: random.pick([0, 0.01, 0.05]),
    kill: random.pick([0, 0.01, 0.03]),
    pause: random.pick([0, 0.005, 0.02]),
    jump: random.pick([0, 0.005, 0.02]),
  };
}

function drawRuns(random: SeededRandom, family: string): PlannedRun[] {
  const kinds: PlannedRun["kind"][] =
    family === "replace"
      ? ["refresh", "refresh", "refresh", "load"]
      : ["extract", "extract", "extract", "extract", "load", "load"];
  if (family !== "replace" && random.chance(0.3)) kinds.push("refresh");
  if (family !== "replace" && family !== "integer" && random.chance(0.2)) kinds.push("backfill");
  if (random.chance(0.2)) kinds.push("gc");
  if (family !== "replace" && random.chance(0.25)) kinds.push("edit");
  const hasKeys = random.chance(0.2);
  return Array.from({ length: random.between(4, 14) }, () => ({
    kind: random.pick(kinds),
    tenant: random.below(2),
    idempotencyKey: hasKeys && random.chance(0.7) ? `delivery-${random.below(4)}` : undefined,
  }));
}

function drawStyle(random: SeededRandom, family: string, scale: string): PartnerHabits["style"] {
  if (family === "integer") return "integer";
  if (scale === "day") return random.pick(["iso-z", "iso-offset", "date"] as const);
  return random.pick(["iso-z", "iso-offset", "iso-naive", "epoch-s", "epoch-ms"] as const);
}

const formats: Readonly<Record<PartnerHabits["style"], CursorFormat>> = {
  "iso-z": "iso",
  "iso-offset": "iso",
  "iso-naive": "iso",
  date: "iso",
  "epoch-s": "epoch-s",
  "epoch-ms": "epoch-ms",
  integer: "integer",
};

function drawCursor(
  random: SeededRandom,
  facts: Readonly<{
    family: string;
    scale: string;
    style: PartnerHabits["style"];
    zone: string;
    lagMs: number;
    integerLag: number;
    startMs: number;
  }>,
): CursorSpec {
  const { family, scale, style, zone, lagMs, startMs } = facts;
  const isInteger = style === "integer";
  const startFormat: ParameterFormat = isInteger
    ? "integer"
    : scale === "day"
      ? random.pick(["date", "date", "iso-s"] as const)
      : random.pick(["iso-s", "iso-ms", "iso-us", "epoch-s", "epoch-ms"] as const);
  const unit = scale === "day" ? 86_400_000 : 1000;
  const hasEnd = !isInteger && random.chance(0.5);
  const hasSpan = hasEnd && random.chance(0.6);
  const hasInitial = hasSpan || random.chance(0.5);
  const range: RangeSpec = {
    startFormat,
    isStartInclusive: random.chance(0.5),
    hasEnd,
    endFormat: startFormat,
    spanMax: hasSpan
      ? ms(
          unit * random.between(scale === "day" ? 2 : 5, scale === "day" ? 8 : 30) +
            (startFormat === "date" ? 3_600_000 : 0),
        )
      : undefined,
  };
  return {
    field: "at",
    format: formats[style],
    zone: isInteger ? "UTC" : zone,
    minimum: isInteger ? 0n : earliestUs + secondUs * 86_400n * 366n,
    initial: !hasInitial ? undefined : isInteger ? 0n : ms(startMs - unit * 5),
    lag: isInteger ? BigInt(facts.integerLag) : ms(lagMs),
    range: family === "whole" || family === "replace" ? undefined : range,
  };
}

function drawPaging(
  random: SeededRandom,
  cursor: CursorSpec | undefined,
  family: string,
): readonly [PartnerApi["paging"], Stability] {
  const choices: (readonly [PartnerApi["paging"], Stability])[] = [
    ["single", "trusted"],
    ["token", "trusted"],
    ["token", "trusted"],
    ["keyset", "trusted"],
    ["offset", "passes"],
  ];
  // Without a key a page's first record cannot be told from its twin: no order of such records is total (I16).
  if (family !== "append") choices.push(["overlap", "overlap"], ["overlap", "overlap"]);
  if (family === "replace") return random.pick([choices[0]!, choices[1]!, choices[4]!]);
  if (cursor?.range?.hasEnd === true && cursor.initial !== undefined)
    choices.push(["total", "settled"], ["total", "settled"]);
  return random.pick(choices);
}
