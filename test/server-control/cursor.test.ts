/** The cursor of one stream and tenant: seen, set back, and by whom. */
import { expect, test } from "vitest";
import { syncFlow } from "../../src/flow/sync-flow.ts";
import { newFlowRunId, newWorkerId } from "../../src/model/run-ids.ts";
import { token } from "./open-api.ts";
import { type ShopStand, shopTenants, withShop } from "./shop-stand.ts";

const headers = { authorization: `Bearer ${token}`, "x-leat-user": "ann" };
const orders = (days: readonly number[]) =>
  days.map((day) => ({ id: day, updated_at: `2026-01-0${day}T00:00:00Z`, amount: day * 10 }));
const address = (tenant: string) => `/api/streams/shop.orders/tenants/${encodeURIComponent(tenant)}`;
const look = async ({ app, checked }: ShopStand, tenant: string) =>
  checked("GET", address(tenant), await app.inject({ url: address(tenant), headers }));
const set = async ({ app, checked }: ShopStand, tenant: string, payload: object, tag: string | undefined) => {
  const url = `${address(tenant)}/cursor`;
  const sent = { ...headers, ...(tag !== undefined && { "if-match": tag }) };
  return checked("PUT", url, await app.inject({ method: "PUT", url, headers: sent, payload }));
};
const back = { to: "2026-01-02T00:00:00Z", why: "restated", confirm: "shop.orders" };

test("a cursor is set back with who and why, and the next run reads from there", async () => {
  await withShop(async (stand) => {
    const [, tenant] = shopTenants;
    stand.records.set(tenant, orders([1, 2, 3]));
    await stand.sync();
    const seen = await look(stand, tenant);
    expect(seen.json()).toMatchObject({
      seq: 1,
      place: { cursor: "2026-01-03T00:00:00.000000Z" },
      last_edit: null,
      can_edit: true,
      tenant,
    });
    const answer = await set(
      stand,
      tenant,
      { ...back, landed_before: "again" },
      String(seen.headers["etag"]),
    );
    expect(answer.json()).toMatchObject({
      seq: 2,
      before: { cursor: "2026-01-03T00:00:00.000000Z" },
      after: { cursor: "2026-01-02T00:00:00.000000Z", next: "2026-01-02T00:00:00.000000Z" },
      edit: { who: "ann", why: "restated", landed_before: "again" },
    });
    await stand.sync();
    const url = `/api/streams/shop.orders/packages?tenant=${encodeURIComponent(tenant)}`;
    const packages = stand.checked("GET", url, await stand.app.inject({ url, headers })).json().packages;
    expect(
      packages.map((one: { kind: string; edit: unknown; counts: { landed: number } }) => [
        one.kind,
        one.counts.landed,
        one.edit !== null,
      ]),
    ).toEqual([
      ["data", 2, false],
      ["state-edit", 0, true],
      ["data", 3, false],
    ]);
    const events = await stand.ledger.listEvents({ kinds: ["stream.cursor"] });
    expect(events).toMatchObject([{ subject: "shop.orders", data: { tenant, by: "ann", seq: 2 } }]);
  });
});

test("of two people who set one cursor the second is told, and changes nothing", async () => {
  await withShop(async (stand) => {
    stand.records.set("414", orders([1, 2, 3]));
    await stand.sync();
    const tag = String((await look(stand, "414")).headers["etag"]);
    const both = await Promise.all([
      set(stand, "414", back, tag),
      set(stand, "414", { ...back, to: null }, tag),
    ]);
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 412]);
    expect(both.find(({ statusCode }) => statusCode === 412)?.json()).toMatchObject({
      code: "CURSOR_MOVED",
      details: { seq: 2, seenSeq: 1 },
    });
    expect((await look(stand, "414")).json().seq).toBe(2);
  });
});

test("whoever has not seen the cursor, names another stream or a day to come, changes nothing", async () => {
  await withShop(async (stand) => {
    stand.records.set("414", orders([1]));
    await stand.sync();
    const codes = [
      await set(stand, "414", back, undefined),
      await set(stand, "414", back, "*"),
      await set(stand, "414", { ...back, confirm: "shop.order" }, '"1"'),
      await set(stand, "414", { ...back, to: "2099-01-01" }, '"1"'),
      await set(stand, "414", { ...back, to: "yesterday" }, '"1"'),
      await set(stand, "415", back, '"1"'),
    ].map((answer) => [answer.statusCode, answer.json().code]);
    expect(codes).toEqual([
      [428, "CURSOR_UNSEEN"],
      [428, "CURSOR_UNSEEN"],
      [422, "PARAMS_INVALID"],
      [422, "PARAMS_INVALID"],
      [422, "PARAMS_INVALID"],
      [404, "TENANT_UNKNOWN"],
    ]);
    expect((await look(stand, "414")).json().seq).toBe(1);
  });
});

test("a cursor stays as it is while a run reads the stream", async () => {
  await withShop(
    async (stand) => {
      const { ledger } = stand;
      const id = newFlowRunId();
      await ledger.submitRun({
        id,
        flow: "sync.stream",
        deployment: "sync.stream",
        pool: "nobody",
        params: {},
        priority: 0,
        startAtMs: ledger.nowMs(),
        scheduledAtMs: null,
        lateAtMs: null,
        cause: { kind: "manual", by: "test" },
        keyLimit: { key: "sync:shop.orders:414", limit: 1, onConflict: "queue" },
        idempotencyKey: null,
        coalesceKey: null,
      });
      await ledger.claimRun(id, { workerId: newWorkerId(), codeVersion: null });
      const seen = (await look(stand, "414")).json();
      expect(seen).toMatchObject({ can_edit: false, seq: 0, place: null, standing: { status: "syncing" } });
      const answer = await set(stand, "414", back, '"0"');
      expect([answer.statusCode, answer.json().code]).toEqual([409, "STREAM_RUNS"]);
      await ledger.cancelRun(id, "test");
      await ledger.endAttempt({ runId: id, attempt: 1 }, { move: "succeed", result: null });
      expect((await set(stand, "414", back, '"0"')).statusCode).toBe(200);
    },
    { token, flows: [syncFlow()] },
  );
});

test("tenants of any name and length are told and set, and the same name in other letters is another", async () => {
  const long = "тенант 🌊 ".repeat(40).trim();
  const names = [long, "a/b?c#d%2F", "Å", "A\u030a", "__proto__"];
  await withShop(
    async (stand) => {
      stand.records.set(long, orders([1]));
      stand.records.set("Å", orders([1, 2]));
      await stand.sync();
      for (const name of names) {
        const seen = await look(stand, name);
        expect([seen.statusCode, seen.json().tenant, seen.json().seq], name).toEqual([
          200,
          name,
          stand.records.has(name) ? 1 : 0,
        ]);
      }
      expect((await set(stand, long, back, '"1"')).statusCode).toBe(200);
      expect((await look(stand, "A\u030a")).json().place).toBe(null);
    },
    { token, tenants: names },
  );
});
