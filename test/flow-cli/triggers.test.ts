import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { createFlowRegistry } from "../../src/flow/deployment.ts";
import { handleEvents } from "../../src/flow/event-loop.ts";
import { fireAbsences, fireEvent } from "../../src/flow/fire-triggers.ts";
import { flow } from "../../src/flow/flow.ts";
import type { Flow } from "../../src/flow/flow-context.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import type { FlowEvent } from "../../src/model/run-record.ts";
import type { Ledger } from "../../src/ports/ledger.ts";

type Stand = Readonly<{
  world: Readonly<{ ledger: Ledger; registry: ReturnType<typeof createFlowRegistry> }>;
  setTime(text: string): void;
  /** Writes an event, and gives it back as the ledger has it. */
  tell(kind: string, subject: string): Promise<FlowEvent>;
}>;

async function withStand(flows: readonly Flow[], call: (stand: Stand) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "leat-triggers-"));
  let nowMs = Date.parse("2026-03-01T00:00:00Z");
  const ledger = await openSqliteLedger(join(folder, "ledger.db"), { nowMs: () => nowMs });
  try {
    await call({
      world: { ledger, registry: createFlowRegistry(flows) },
      setTime: (text) => {
        nowMs = Date.parse(text);
      },
      async tell(kind, subject) {
        const { id } = await ledger.appendEvent({ kind, subject, runId: null, data: {}, dedupKey: null });
        return (await ledger.listEvents({ afterId: id - 1, limit: 1 }))[0]!; // It was written a line above.
      },
    });
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const nothing = async (): Promise<void> => {};

test("an event makes one run of each trigger that matches, however often it is looked at", async () => {
  const flows = [
    flow("a", { triggers: [{ on: "stream.packages", stream: "shop.orders" }] }, nothing),
    flow("b", { triggers: [{ on: "event", kind: "stream.packages" }] }, nothing),
    flow("c", { triggers: [{ on: "stream.packages", stream: "shop.lines" }] }, nothing),
  ];
  await withStand(flows, async ({ world, tell }) => {
    const event = await tell("stream.packages", "shop.orders");
    const outcomes = async () =>
      (await fireEvent(world, event)).map(({ outcome, run }) => `${run.flow} ${outcome}`);
    expect(await outcomes()).toEqual(["a created", "b created"]);
    expect(await outcomes()).toEqual(["a exists", "b exists"]);
  });
});

test("events that come while a run of the trigger is queued are left to it, unless each has its own parameters", async () => {
  const flows = [
    flow("one", { triggers: [{ on: "dataset.version", dataset: "d" }] }, nothing),
    flow(
      "each",
      {
        params: z.object({ id: z.int() }),
        triggers: [{ on: "dataset.version", dataset: "d", params: (event) => ({ id: event.id }) }],
      },
      nothing,
    ),
  ];
  await withStand(flows, async ({ world, tell }) => {
    await fireEvent(world, await tell("dataset.version", "d"));
    const fired = await fireEvent(world, await tell("dataset.version", "d"));
    expect(fired.map(({ outcome, run }) => `${run.flow} ${outcome}`)).toEqual([
      "one coalesced",
      "each created",
    ]);
  });
});

test("a trigger whose parameters do not fit is told as an event, and loses nobody else's run", async () => {
  const flows = [
    flow(
      "broken",
      {
        params: z.object({ id: z.int() }),
        triggers: [{ on: "event", kind: "news", params: () => ({ id: "one" as unknown as number }) }], // What a type does not catch.
      },
      nothing,
    ),
    flow("fine", { triggers: [{ on: "event", kind: "news" }] }, nothing),
  ];
  await withStand(flows, async ({ world, tell }) => {
    const fired = await fireEvent(world, await tell("news", "x"));
    expect(fired.map(({ run }) => run.flow)).toEqual(["fine"]);
    const [failed] = await world.ledger.listEvents({ kinds: ["trigger.failed"] });
    expect(failed).toMatchObject({ subject: "broken", data: { message: expect.stringContaining("id:") } });
  });
});

test("an event that did not come between two ticks makes a run, once; one that came does not", async () => {
  const trigger = {
    on: "absence" as const,
    of: { on: "dataset.version" as const, dataset: "d" },
    by: "0 6 * * *",
    timezone: "UTC",
  };
  await withStand([flow("alarm", { triggers: [trigger] }, nothing)], async ({ world, setTime, tell }) => {
    const flows = async () => (await fireAbsences(world)).map(({ run }) => run.flow);
    setTime("2026-03-01T12:00:00Z");
    expect(await flows()).toEqual([]); // It is seen for the first time.
    setTime("2026-03-02T06:00:01Z");
    expect(await flows()).toEqual([]); // The span began before it was there.
    setTime("2026-03-03T06:00:01Z");
    expect(await flows()).toEqual(["alarm"]);
    expect(await flows()).toEqual([]);
    setTime("2026-03-03T20:00:00Z");
    await tell("dataset.version", "d");
    setTime("2026-03-04T06:00:01Z");
    expect(await flows()).toEqual([]);
    setTime("2026-03-05T06:00:01Z");
    expect(await flows()).toEqual(["alarm"]);
  });
});

test("events are handled in batches, and each is marked", async () => {
  await withStand(
    [flow("a", { triggers: [{ on: "event", kind: "news" }] }, nothing)],
    async ({ world, tell }) => {
      for (const subject of ["x", "y"]) await tell("news", subject);
      const sent: string[] = [];
      const loop = {
        ...world,
        dispatcher: {
          send: async (hints: readonly { id: string }[]) => void sent.push(...hints.map(({ id }) => id)),
          listen: () => Promise.reject(new Error("not in this test")),
          close: nothing,
        },
        notices: {
          secrets: { resolve: () => Promise.reject(new Error("not in this test")) },
          clock: { nowMs: () => 0, sleep: nothing },
          redact: (text: string) => text,
          runUrl: undefined,
        },
        onProblem: (error: unknown) => {
          throw error;
        },
      };
      const { signal } = new AbortController();
      expect(await handleEvents(loop, signal)).toBe(2);
      expect(sent.length).toBeGreaterThan(0);
      expect(await handleEvents(loop, signal)).toBe(0);
      expect(await world.ledger.listRuns({ flow: "a" })).toHaveLength(1); // The second was left to the first's run.
    },
  );
});
