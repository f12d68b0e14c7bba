import { describe, expect, test } from "vitest";
import type { WorkSchedule } from "../../flow/ready-made.ts";
import { toTenantId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { Project } from "../../ports/project.ts";
import { taskNameMax } from "../../ports/task-queue.ts";
import { planDue, toTask } from "./plan-due.ts";

const project = {
  sources: ["shop", "bank"].map((source) => ({
    name: source,
    streams: ["orders", "items"].map((name) => ({ source, name }) as unknown as StreamSpec), // All that is looked at.
  })),
} as unknown as Project; // Likewise.
const tenants = ["414", "415"].map((id) => ({ id: toTenantId(id), fields: {} }));

const schedule = (cron: string, more: Partial<WorkSchedule> = {}): WorkSchedule => ({
  kind: "sync",
  id: "sync",
  ticks: { kind: "cron", cron, timezone: "UTC" },
  names: [],
  tenants: [],
  ...more,
});
const at = (time: string): number => Date.parse(`2026-01-01T${time}Z`);
const plan = (schedules: readonly WorkSchedule[], from: string, until: string) =>
  planDue({ schedules, project, tenants }, { fromMs: at(from), untilMs: at(until) });

describe("planDue", () => {
  test("a tick in the span makes every stream and tenant due, a tick at its beginning was of the last plan", () => {
    expect(plan([schedule("0 * * * *")], "02:55:00", "03:00:00")).toHaveLength(8);
    expect(plan([schedule("0 * * * *")], "03:00:00", "03:59:59")).toEqual([]);
  });

  test("plans that follow each other see each tick once, wherever they are cut", () => {
    const cuts = ["00:00:00", "00:07:13", "01:00:00", "01:00:01", "02:59:59", "04:00:00"];
    const slots = cuts.slice(1).flatMap((until, index) => {
      const due = plan(
        [schedule("0 * * * *", { names: ["shop.orders"], tenants: ["414"] })],
        cuts[index]!,
        until,
      );
      return due.map(({ slotMs }) => new Date(slotMs).toISOString().slice(11, 16));
    });
    // Of two ticks in one span the later one counts: 03:00 is left to 04:00.
    expect(slots).toEqual(["01:00", "02:00", "04:00"]);
  });

  test("a schedule says for which streams and tenants", () => {
    const some = schedule("0 3 * * *", { names: ["bank"], tenants: ["415"] });
    expect(
      plan([some], "02:59:00", "03:01:00").map((due) => `${due.source}.${due.stream} ${due.tenant}`),
    ).toEqual(["bank.orders 415", "bank.items 415"]);
    expect(() => plan([schedule("* * * * *", { names: ["bnak"] })], "00:00:00", "01:00:00")).toThrow(
      /no source or stream "bnak"/,
    );
  });

  test("two schedules of one stream make one sync, of the later tick", () => {
    const due = plan(
      [
        schedule("0 3 * * *", { names: ["shop.orders"] }),
        schedule("*/10 * * * *", { names: ["shop.orders"] }),
      ],
      "02:50:00",
      "03:10:00",
    );
    expect(due.map(({ slotMs }) => slotMs)).toEqual([at("03:10:00"), at("03:10:00")]);
    expect(due[0]?.nextMs).toBe(at("03:20:00"));
  });

  test("builds are not syncs", () => {
    expect(plan([schedule("* * * * *", { kind: "build" })], "00:00:00", "01:00:00")).toEqual([]);
  });
});

describe("toTask", () => {
  const due = {
    source: "shop",
    stream: "orders",
    tenant: toTenantId("414"),
    slotMs: at("03:00:00"),
    nextMs: undefined,
  };

  test("one tick of one stream and tenant has one name, any other another", () => {
    const others = [
      due,
      { ...due, slotMs: at("04:00:00") },
      { ...due, tenant: toTenantId("41-4") },
      { ...due, tenant: toTenantId("41 4") },
      { ...due, source: "shop orders", stream: "" },
    ];
    expect(new Set(others.map((one) => toTask(one).name)).size).toBe(others.length);
    expect(toTask({ ...due }).name).toBe(toTask(due).name);
  });

  test("names are such as Cloud Tasks takes, whatever a tenant is called", () => {
    for (const tenant of ["Größe/€ & Co.", "x".repeat(2000), "日本"]) {
      const { name } = toTask({ ...due, tenant: toTenantId(tenant) });
      expect(name).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(name.length).toBeLessThanOrEqual(taskNameMax);
      expect(name).toMatch(/20260101030000$/);
    }
  });

  test("it asks for its stream and says until when it is wanted", () => {
    expect(toTask({ ...due, source: "old shop", nextMs: at("04:00:00") })).toMatchObject({
      path: "/old%20shop/orders",
      body: { tenant_id: "414", not_after: "2026-01-01T04:00:00.000Z" },
    });
  });
});
