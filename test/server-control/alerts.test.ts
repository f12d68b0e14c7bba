/** Alerts made in the console: told once, to where the rule says, and over when they are. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system-world.ts";
import { flow } from "../../src/flow/flow.ts";
import { checkAlerts } from "../../src/server/control/check-alerts.ts";
import { type FakeServer, startFake } from "../fakes/fake-server.ts";
import { token } from "./open-api.ts";
import { type ShopStand, withShop } from "./shop-stand.ts";

const headers = { authorization: `Bearer ${token}`, "x-leat-user": "ann" };
const get = async ({ app, checked }: ShopStand, url: string) =>
  checked("GET", url, await app.inject({ url, headers }));
const ask = async ({ app, checked }: ShopStand, method: "POST" | "DELETE", url: string, payload?: object) =>
  checked(method, url, await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) }));

const never = new AbortController().signal;
const rule = {
  name: "orders late by 1 h",
  when: { on: "late", stream: "shop.orders", after_minutes: 60 },
  target: { to: "webhook", url: "env:HOOK" },
};

/** A shop whose one secret is the address of a receiver. */
async function withReceiver(
  call: (
    stand: ShopStand,
    receiver: FakeServer & { readonly told: Record<string, unknown>[] },
  ) => Promise<void>,
  status = 200,
): Promise<void> {
  const told: Record<string, unknown>[] = [];
  await using fake = await startFake(({ body }) => {
    told.push(body as Record<string, unknown>); // What notices are: objects.
    return { status, body: "thanks" };
  });
  const receiver = Object.assign(fake, { told });
  const secrets = {
    resolve: async (reference: string) => {
      if (reference === "env:HOOK") return `${receiver.url}/hook`;
      throw new Error(`${reference} is not there`);
    },
  };
  const broken = flow("broken", {}, async () => {
    throw new Error("the partner is away");
  });
  await withShop((stand) => call(stand, receiver), { token, secrets, flows: [broken] });
}

const kinds = async (stand: ShopStand) =>
  (await get(stand, "/api/alerts/history"))
    .json()
    .events.map(({ kind }: { kind: string }) => kind)
    .reverse();

test("a rule is made, tested and removed, and its test is in the history", async () => {
  await withReceiver(async (stand, receiver) => {
    const made = await ask(stand, "POST", "/api/alerts", rule);
    expect([made.statusCode, made.json()]).toEqual([
      201,
      expect.objectContaining({ name: rule.name, is_declared: false, created_by: "ann", open: [] }),
    ]);
    const { id } = made.json();
    expect((await ask(stand, "POST", `/api/alerts/${id}/test`)).json()).toEqual({
      is_delivered: true,
      problem: null,
    });
    expect(receiver.told).toMatchObject([
      { deployment: "shop.orders", is_test: true, text: expect.stringContaining("a test of the alert") },
    ]);
    const [event] = (await get(stand, `/api/alerts/history?rule=${id}`)).json().events;
    expect(event).toMatchObject({ kind: "alert.sent", data: { to: "webhook", is_test: true } });
    await ask(stand, "DELETE", `/api/alerts/${id}`);
    expect((await get(stand, "/api/alerts")).json().rules).toEqual([]);
    const gone = await ask(stand, "POST", `/api/alerts/${id}/test`);
    expect([gone.statusCode, gone.json().code]).toEqual([404, "ALERT_UNKNOWN"]);
  });
});

test("a test that is not delivered says why, without the address", async () => {
  await withReceiver(async (stand) => {
    const { id } = (await ask(stand, "POST", "/api/alerts", rule)).json();
    const { is_delivered, problem } = (await ask(stand, "POST", `/api/alerts/${id}/test`)).json();
    expect([is_delivered, problem]).toEqual([false, expect.stringContaining("answered with 404")]);
    expect(await kinds(stand)).toEqual(["alert.failed"]);
  }, 404);
});

test("lateness is told once for each tenant, and is over when the stream was read", async () => {
  await withReceiver(async (stand, receiver) => {
    const { ledger, store, ports } = stand;
    stand.records.set("414", [{ id: 1, updated_at: "2026-01-01T00:00:00Z" }]);
    await stand.sync();
    await ask(stand, "POST", "/api/alerts", { ...rule, when: { ...rule.when, tenant: "414" } });
    const at = (aheadMs: number) => ({
      ...ports,
      store,
      ledger: { ...ledger, nowMs: () => Date.now() + aheadMs },
      runUrl: undefined,
    });
    await checkAlerts(at(0), never);
    expect(receiver.told).toEqual([]);
    await checkAlerts(at(2 * 3_600_000), never);
    await checkAlerts(at(2 * 3_600_000 + 15_000), never);
    expect(receiver.told).toMatchObject([
      { deployment: "shop.orders (tenant 414)", text: expect.stringContaining("longer than 1 h") },
    ]);
    const [open] = (await get(stand, "/api/alerts")).json().rules;
    expect(open.open).toMatchObject([{ subject: "shop.orders (tenant 414)" }]);
    stand.records.set("414", [{ id: 2, updated_at: "2026-01-02T00:00:00Z" }]);
    await stand.sync();
    await checkAlerts(at(0), never);
    expect((await get(stand, "/api/alerts")).json().rules[0].open).toEqual([]);
    expect(await kinds(stand)).toEqual(["alert.fired", "alert.sent", "alert.resolved"]);
  });
});

test("a failure is told once, and a rule that is broken leaves the others", async () => {
  await withReceiver(async (stand, receiver) => {
    const failed = { name: "anything fails", when: { on: "failed" }, target: rule.target };
    await ask(stand, "POST", "/api/alerts", failed);
    await ask(stand, "POST", "/api/alerts", { ...failed, target: { to: "slack", url: "env:NONE" } });
    await systemClock.sleep(2, never);
    await stand.run("broken");
    const world = { ...stand.ports, runUrl: (id: string) => `http://here/runs/${id}` };
    await checkAlerts(world, never);
    await checkAlerts(world, never);
    expect(receiver.told).toMatchObject([
      {
        deployment: "broken",
        text: expect.stringContaining("the partner is away"),
        url: expect.stringContaining("http://here/runs/"),
      },
    ]);
    expect((await kinds(stand)).sort()).toEqual(["alert.failed", "alert.fired", "alert.fired", "alert.sent"]);
  });
});

test("a rule with faults is told all of them, and nothing is kept", async () => {
  await withReceiver(async (stand) => {
    const problem = async (payload: object) => {
      const answer = await ask(stand, "POST", "/api/alerts", payload);
      return [answer.statusCode, answer.json().code];
    };
    expect(await problem({ ...rule, when: { on: "late" } })).toEqual([422, "PARAMS_INVALID"]);
    expect(await problem({ ...rule, when: { ...rule.when, stream: "shop.order" } })).toEqual([
      404,
      "STREAM_UNKNOWN",
    ]);
    expect(await problem({ ...rule, when: { ...rule.when, tenant: "nobody" } })).toEqual([
      404,
      "TENANT_UNKNOWN",
    ]);
    expect(await problem({ ...rule, when: { on: "failed", deployment: "brokn" } })).toEqual([
      404,
      "FLOW_UNKNOWN",
    ]);
    expect(
      await problem({ ...rule, target: { to: "slack", url: "https://hooks.example.com/secret" } }),
    ).toEqual([422, "PARAMS_INVALID"]);
    expect(await problem({ ...rule, target: { to: "pigeon" } })).toEqual([422, "PARAMS_INVALID"]);
    expect((await get(stand, "/api/alerts")).json().rules).toEqual([]);
  });
});
