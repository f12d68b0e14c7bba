import fc from "fast-check";
import { expect, test } from "vitest";
import { editState } from "../../src/extract/edit-state.ts";
import { verifyLog } from "../../src/landing/verify-log.ts";
import { type CursorValue, formatParameter, formatTimestamp, roundDown } from "../../src/model/cursor.ts";
import type { CursorSpec } from "../../src/model/stream.ts";
import type { RangeRequest } from "../../src/ports/source.ts";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";
import {
  at,
  bounds,
  type ExtractGiven,
  type GivenPage,
  openRange,
  openWorld,
  streamOf,
  timeCursor,
} from "./sync-world.ts";

const secondMs = 1000;
const startMs = Date.UTC(2026, 0, 10);

/** What happens, in order: records change, runs come and may die, a person intervenes. */
type Step =
  | Readonly<{
      kind: "change";
      key: number;
      time: "now" | "none" | "future";
      delayShare: number;
      afterMs: number;
    }>
  | Readonly<{ kind: "run"; diesAfter: number | undefined; seed: number; afterMs: number }>
  | Readonly<{ kind: "backfill"; fromMs: number; seed: number }>
  | Readonly<{ kind: "rewind"; fromMs: number | undefined }>;

type Plan = Readonly<{
  isKeyed: boolean;
  asks: "everything" | "open" | "windows";
  isStartInclusive: boolean;
  isSorted: boolean;
  delayMaxMs: number;
  pageSize: number;
  sendsDate: boolean;
  steps: readonly Step[];
}>;

const afterMs = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 3000 }),
  fc.integer({ min: 0, max: 90_000 }),
);
const seed = fc.integer({ min: 0, max: 1_000_000 });
const fromMs = fc.integer({ min: -60_000, max: 300_000 });

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("change" as const),
      key: fc.integer({ min: 0, max: 4 }),
      time: fc.constantFrom("now", "now", "now", "now", "now", "now", "none", "future"),
      delayShare: fc.integer({ min: 0, max: 100 }),
      afterMs,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("run" as const),
      diesAfter: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      seed,
      afterMs,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("backfill" as const), fromMs, seed }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("rewind" as const),
      fromMs: fc.option(fromMs, { nil: undefined }),
    }),
  },
);

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  isKeyed: fc.boolean(),
  asks: fc.constantFrom("everything", "open", "windows"),
  isStartInclusive: fc.boolean(),
  isSorted: fc.boolean(),
  delayMaxMs: fc.constantFrom(0, 2500, 20_000),
  pageSize: fc.integer({ min: 1, max: 4 }),
  sendsDate: fc.boolean(),
  steps: fc.array(anyStep, { minLength: 1, maxLength: 25, size: "max" }),
});

type Shown = Readonly<{ id: string; text: string; time: CursorValue | undefined; visibleAtMs: number }>;

function specOf(plan: Plan) {
  const lag = BigInt(plan.delayMaxMs + secondMs) * 1000n; // Values are cut to the second.
  const cursor: CursorSpec = {
    ...timeCursor,
    lag,
    initial: plan.asks === "windows" ? at("2026-01-09T23:58:00Z") : undefined,
    range:
      plan.asks === "everything"
        ? undefined
        : {
            ...openRange,
            isStartInclusive: plan.isStartInclusive,
            hasEnd: plan.asks === "windows",
            spanMax: plan.asks === "windows" ? 150_000_000n : undefined,
          },
  };
  return streamOf({
    cursor,
    primaryKey: plan.isKeyed ? ["id"] : [],
    isSorted: plan.isSorted,
    bounds: { ...bounds, checkpointBytes: 1, clockToleranceMs: 5000 },
  });
}

/** Plays a plan to its end: then the partner rests, and a last run sees everything. */
async function play(plan: Plan) {
  const spec = specOf(plan);
  const world = openWorld({ spec, startMs });
  const all: Shown[] = [];
  let version = 0;

  const show = (step: Extract<Step, { kind: "change" }>) => {
    const nowMs = world.clock.nowMs();
    // A window that ends before the future is not shown what lies there.
    const aheadMs = step.time === "future" && plan.asks !== "windows" ? 86_400_000 : 0;
    const time = step.time === "none" ? undefined : roundDown(BigInt(nowMs + aheadMs) * 1000n, "iso-s");
    const id = `k${step.key}`;
    const fields = {
      ...(plan.isKeyed ? { id, version: version++ } : { k: step.key }), // Without keys some are twins.
      ...(time === undefined ? {} : { at: formatParameter(time, "iso-s") }),
    };
    const visibleAtMs = nowMs + Math.floor((step.delayShare * plan.delayMaxMs) / 100);
    all.push({ id, text: JSON.stringify(fields), time, visibleAtMs });
  };

  /** What an answer could hold now: for a key its version that was shown last. */
  const visible = (): Shown[] => {
    const shown = all.filter(({ visibleAtMs }) => visibleAtMs <= world.clock.nowMs());
    if (!plan.isKeyed) return shown;
    const inOrder = shown.toSorted((a, b) => a.visibleAtMs - b.visibleAtMs);
    return [...new Map(inOrder.map((one) => [one.id, one])).values()];
  };

  const answerOf = (runSeed: number, diesAfter: number | undefined) => {
    const random = createSeededRandom(runSeed);
    let pages = 0;
    return function* ({ start, end }: RangeRequest): Generator<GivenPage, void> {
      const records = visible()
        .filter(({ time }) => {
          if (time === undefined) return true;
          const isFrom = start === undefined || (plan.isStartInclusive ? time >= start : time > start);
          return isFrom && (end === undefined || time < end);
        })
        .map((one) => ({ one, sort: random.fraction() }))
        .sort((a, b) => a.sort - b.sort)
        .map(({ one }) => one);
      if (plan.isSorted) records.sort((a, b) => Number((a.time ?? 0n) - (b.time ?? 0n)));
      for (let at = 0; at === 0 || at < records.length; at += plan.pageSize) {
        if (pages++ === diesAfter) throw new Error("killed");
        yield {
          records: records.slice(at, at + plan.pageSize).map(({ text }) => text),
          isSorted: plan.isSorted,
          dateMs: plan.sendsDate ? world.clock.nowMs() : "none",
        };
      }
    };
  };

  const extract = async (runSeed: number, diesAfter: number | undefined, given: ExtractGiven = {}) => {
    try {
      await world.extract(answerOf(runSeed, diesAfter), given);
    } catch (error) {
      if (!(error instanceof Error) || error.message !== "killed") throw error;
    }
  };

  for (const step of plan.steps) {
    if ("afterMs" in step) await world.clock.advance(step.afterMs);
    switch (step.kind) {
      case "change":
        show(step);
        break;
      case "run":
        await extract(step.seed, step.diesAfter);
        break;
      case "backfill": {
        const from = BigInt(startMs + step.fromMs) * 1000n;
        const mode = { kind: "backfill", from, to: from + 60_000_000n } as const;
        await extract(step.seed, undefined, { mode });
        break;
      }
      case "rewind": {
        const next = (await world.state()).partitions.get("")?.state.next;
        const wanted = step.fromMs === undefined ? undefined : BigInt(startMs + step.fromMs) * 1000n;
        // Whoever goes forward gives up what lies between; that is not what is shown here.
        if (wanted !== undefined && (next === undefined || wanted > next)) break;
        await editState(
          world.ports,
          { spec, tenant: world.tenant, tenantColumn: "tenant_id" },
          { to: wanted, who: "ann", why: "a test", landedBefore: "missing" },
        );
      }
    }
  }
  await world.clock.advance(600_000);
  await extract(1, undefined);
  return { world, all, last: visible() };
}

const sorted = (texts: readonly string[]) => [...texts].sort();

test("I4 I5 whatever runs come, die and are repeated, each record is landed, and none twice", {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(anyPlan, async (plan) => {
      const { world, all, last } = await play(plan);
      const landed = await world.landed();
      if (plan.isKeyed) {
        expect(new Set(landed).size, "no version is landed twice").toBe(landed.length);
        for (const { text } of last) expect(landed).toContain(text);
        for (const text of landed) expect(all.map((one) => one.text)).toContain(text);
      } else {
        expect(sorted(landed)).toEqual(sorted(all.map(({ text }) => text)));
      }
      for (const { counts } of await world.manifests()) {
        expect(counts.received).toBe(
          counts.landed + counts.boundarySkipped + counts.repeated + counts.quarantined,
        );
      }
    }),
    { numRuns: 120 },
  );
});

test("I3 I5 the cursor is the greatest value landed, and the boundary holds what the next start will show", async () => {
  await fc.assert(
    fc.asyncProperty(anyPlan, async (plan) => {
      const { world, all, last } = await play(plan);
      const { partitions, boundary } = await world.state();
      const state = partitions.get("")!.state;
      const landed = new Set(await world.landed());
      const usable = all.filter(({ text }) => landed.has(text)).flatMap(({ time }) => time ?? []);
      const past = usable.filter((time) => time <= BigInt(world.clock.nowMs()) * 1000n);
      const greatest = past.reduce<CursorValue | undefined>(
        (a, b) => (a === undefined || b > a ? b : a),
        undefined,
      );
      // A rewound cursor follows what is shown again; versions that were replaced meanwhile are not.
      if (plan.steps.every(({ kind }) => kind !== "rewind")) {
        expect(state.cursor === undefined ? "none" : formatTimestamp(state.cursor)).toBe(
          greatest === undefined ? "none" : formatTimestamp(greatest),
        );
      }
      // A last run that is shown everything from its start on knows all of it from the boundary.
      const again = await world.extract(
        ({ start }) => [
          {
            records: last
              .filter(({ time }) => time === undefined || start === undefined || time >= start)
              .map(({ text }) => text),
            isSorted: plan.isSorted,
          },
        ],
        { spec: { ...world.spec, isSorted: false } },
      );
      expect(again.counts).toMatchObject({ landed: 0, repeated: 0, quarantined: 0 });
      expect(boundary.size).toBeLessThanOrEqual(all.length);
      const verified = await verifyLog(world.store, world.place, { readsParts: true });
      expect(verified.faults).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
