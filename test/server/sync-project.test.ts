import { describe, expect, test } from "vitest";
import { LeatError } from "../../src/errors/leat-error.ts";
import { itemError, type SyncResult } from "../../src/sync/sync-job.ts";
import { syncProject } from "../../src/sync/sync-project.ts";
import { fakeJob, fakeLoad, fakeOutcome, fakePorts, fakeSource, fakeTenants } from "./fake-stages.ts";

const noSignal = new AbortController().signal;
const codes = (result: SyncResult) =>
  result.items.map((item) => `${item.stream} ${item.tenant}: ${itemError(item)?.code ?? "done"}`);

describe("syncProject", () => {
  test("extracts every stream for every tenant, then loads each stream once for all of them", async () => {
    const { source, readers } = fakeSource("shop", { orders: undefined, items: undefined });
    const { ports, trace } = fakePorts({});
    const result = await syncProject(ports, fakeJob([source], fakeTenants("1", "2")), noSignal);
    expect(codes(result)).toEqual(["orders 1: done", "orders 2: done", "items 1: done", "items 2: done"]);
    expect(trace.filter((line) => line.startsWith("load"))).toEqual(["load orders 1 2", "load items 1 2"]);
    expect(result.items[0]?.extract?.counts.landed).toBe(2);
    expect(result.items[0]?.load?.loaded).toBe(2);
    expect(readers).toEqual({ opened: 4, closed: 4 });
  });

  test("reads a parent before its children, tenant by tenant", async () => {
    const { source } = fakeSource("shop", { orders: undefined, items: "orders", notes: "items" });
    const { ports, trace } = fakePorts({});
    await syncProject(ports, fakeJob([source], fakeTenants("1", "2")), noSignal);
    for (const tenant of ["1", "2"]) {
      expect(trace.filter((line) => line.endsWith(` ${tenant}`) && line.startsWith("extract"))).toEqual([
        `extract orders ${tenant}`,
        `extracted orders ${tenant}`,
        `extract items ${tenant}`,
        `extracted items ${tenant}`,
        `extract notes ${tenant}`,
        `extracted notes ${tenant}`,
      ]);
    }
  });

  test("one tenant's failure leaves the others served, and its sealed packages are loaded all the same", async () => {
    const { source } = fakeSource("shop", { orders: undefined, items: "orders" });
    const { ports, trace } = fakePorts({
      extract: async (job) => {
        if (job.tenant.id !== "2" || job.spec.name !== "orders") return fakeOutcome(1);
        throw new LeatError("SOURCE_AUTH_FAILED", { message: "401" });
      },
    });
    const result = await syncProject(ports, fakeJob([source], fakeTenants("1", "2", "3")), noSignal);
    expect(codes(result)).toEqual([
      "orders 1: done",
      "orders 2: SOURCE_AUTH_FAILED",
      "orders 3: done",
      "items 1: done",
      "items 2: done",
      "items 3: done",
    ]);
    expect(result.items[1]?.extractError?.details).toEqual({ source: "shop", stream: "orders", tenant: "2" });
    expect(result.items[1]?.load?.loaded).toBe(2);
    expect(trace).toContain("load orders 1 2 3");
  });

  test("a tenant that cannot be loaded does not hold up the others", async () => {
    const { source } = fakeSource("shop", { orders: undefined });
    const { ports } = fakePorts({
      load: async (_ports, _spec, tenants) => ({
        tenants: tenants.map((tenant) => ({
          ...fakeLoad(tenant, 1),
          error: tenant === "1" ? new LeatError("PART_CORRUPT", { message: "bad" }) : undefined,
        })),
        changes: [{ column: "price", from: "BIGINT", to: "DOUBLE" }],
      }),
    });
    const result = await syncProject(ports, fakeJob([source], fakeTenants("1", "2")), noSignal);
    expect(codes(result)).toEqual(["orders 1: PART_CORRUPT", "orders 2: done"]);
    expect(result.changes).toEqual([
      { source: "shop", stream: "orders", change: { column: "price", from: "BIGINT", to: "DOUBLE" } },
    ]);
  });

  test("a warehouse that is locked fails every tenant of the stream and no other stream", async () => {
    const { source } = fakeSource("shop", { orders: undefined, items: undefined });
    const { ports } = fakePorts({
      load: async (_ports, spec, tenants) => {
        if (spec.name === "orders") throw new LeatError("WAREHOUSE_LOCKED", { message: "held" });
        return { tenants: tenants.map((tenant) => fakeLoad(tenant, 1)), changes: [] };
      },
    });
    const result = await syncProject(ports, fakeJob([source], fakeTenants("1", "2")), noSignal);
    expect(codes(result)).toEqual([
      "orders 1: WAREHOUSE_LOCKED",
      "orders 2: WAREHOUSE_LOCKED",
      "items 1: done",
      "items 2: done",
    ]);
  });

  test("extracts of one source keep to the limit, those of another do not wait for them", async () => {
    let [running, most] = [0, 0];
    const { source: shop } = fakeSource("shop", { orders: undefined });
    const { source: bank } = fakeSource("bank", { entries: undefined });
    const released = Promise.withResolvers<void>();
    const { ports } = fakePorts({
      extractsPerSource: 2,
      extract: async (job) => {
        if (job.spec.source === "bank") {
          released.resolve(); // Would never come about if the bank waited for the shop.
          return fakeOutcome(1);
        }
        running++;
        most = Math.max(most, running);
        await released.promise;
        running--;
        return fakeOutcome(1);
      },
    });
    const tenants = fakeTenants("1", "2", "3", "4", "5");
    const result = await syncProject(ports, fakeJob([shop, bank], tenants), noSignal);
    expect(result.items.every((item) => itemError(item) === undefined)).toBe(true);
    expect(most).toBe(2);
  });

  test("a lost place in the log is fought for again, a bounded number of times", async () => {
    const { source, readers } = fakeSource("shop", { orders: undefined });
    let tries = 0;
    const conflict = (): never => {
      tries++;
      throw new LeatError("STATE_CONFLICT", { message: "another run" });
    };
    const { ports } = fakePorts({
      extract: async () => (tries < 2 ? conflict() : fakeOutcome(5)),
    });
    const won = await syncProject(ports, fakeJob([source], fakeTenants("1")), noSignal);
    expect(codes(won)).toEqual(["orders 1: done"]);
    expect(readers).toEqual({ opened: 3, closed: 3 });

    tries = 0;
    const { ports: always } = fakePorts({ extract: async () => conflict() });
    const lost = await syncProject(always, fakeJob([source], fakeTenants("1")), noSignal);
    expect(codes(lost)).toEqual(["orders 1: STATE_CONFLICT"]);
    expect(tries).toBe(3);
  });

  test("an extract that stops at its bounds goes on until nothing is left, counted as one", async () => {
    const { source } = fakeSource("shop", { orders: undefined });
    let round = 0;
    const { ports } = fakePorts({
      extract: async () => fakeOutcome(10, { seqs: [++round], hasMore: round < 3 }),
    });
    const { items } = await syncProject(ports, fakeJob([source], fakeTenants("1")), noSignal);
    expect(items[0]?.extract).toMatchObject({ seqs: [1, 2, 3], requests: 9, hasMore: false });
    expect(items[0]?.extract?.counts).toMatchObject({ received: 33, landed: 30 });
  });

  test("one that never comes to an end is told, and is not called done", async () => {
    const { source } = fakeSource("shop", { orders: undefined });
    const { ports } = fakePorts({ extract: async () => fakeOutcome(1, { hasMore: true }) });
    const result = await syncProject(ports, fakeJob([source], fakeTenants("1"), { roundsMax: 4 }), noSignal);
    expect(codes(result)).toEqual(["orders 1: RUN_BOUND_REACHED"]);
    expect(result.items[0]?.extract?.counts.landed).toBe(4);
  });

  test("an abort stops what runs, begins nothing more, and loads nothing", async () => {
    const { source } = fakeSource("shop", { orders: undefined, items: undefined });
    const stop = new AbortController();
    const { ports, trace } = fakePorts({
      extractsPerSource: 1,
      extract: async (_job, signal) => {
        stop.abort(new LeatError("INTERRUPTED", { message: "Ctrl-C" }));
        signal.throwIfAborted();
        return fakeOutcome(1);
      },
    });
    const result = await syncProject(ports, fakeJob([source], fakeTenants("1", "2")), stop.signal);
    expect(result.items.map((item) => [itemError(item)?.code, item.loadError?.code])).toEqual(
      Array.from({ length: 4 }, () => ["INTERRUPTED", "INTERRUPTED"]),
    );
    expect(trace).toEqual(["extract orders 1"]);
  });

  test("what nobody foresaw is a fault of leat with its cause, and of one tenant only", async () => {
    const { source } = fakeSource("shop", { orders: undefined });
    const cause = new TypeError("x is not a function");
    const { ports } = fakePorts({
      extract: async (job) => (job.tenant.id === "1" ? Promise.reject(cause) : fakeOutcome(1)),
    });
    const result = await syncProject(ports, fakeJob([source], fakeTenants("1", "2")), noSignal);
    expect(codes(result)).toEqual(["orders 1: INTERNAL", "orders 2: done"]);
    expect(result.items[0]?.extractError?.cause).toBe(cause);
  });

  test("`extract` loads nothing and `load` fetches nothing", async () => {
    const { source, readers } = fakeSource("shop", { orders: undefined });
    const half = fakePorts({});
    await syncProject(half.ports, fakeJob([source], fakeTenants("1"), { steps: "extract" }), noSignal);
    expect(half.trace).toEqual(["extract orders 1", "extracted orders 1"]);
    const other = fakePorts({});
    await syncProject(other.ports, fakeJob([source], fakeTenants("1"), { steps: "load" }), noSignal);
    expect(other.trace).toEqual(["load orders 1"]);
    expect(readers.opened).toBe(1);
  });
});
