/** A warehouse that others hold, edit or damage; a state that lies in the future; tenants that are twins. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectLine, expectMended } from "./expect-one-fails.ts";
import { type CommandHost, openHost } from "./open-host.ts";
import { openWorld, type ShopWorld, type Synced } from "./shop-world.ts";

let host: CommandHost;
let world: ShopWorld;
beforeAll(() => {
  host = openHost();
});
afterAll(() => host.close());
beforeEach(async () => {
  world = await openWorld(host);
  expect(await world.sync()).toMatchObject({ code: 0 });
});
afterEach(() => world[Symbol.asyncDispose]());

const warehouse = (): string => join(world.path, ".leat/warehouse.duckdb");

/** Runs statements as somebody with another program would. */
async function edit(...statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(warehouse());
  const connection = await instance.connect();
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}

const codes = (told: Synced): readonly (string | undefined)[] => told.results.map((one) => one.error?.code);

describe("a warehouse file that another process holds", () => {
  const hold = async () => {
    const child = fork(fileURLToPath(new URL("hold-warehouse.ts", import.meta.url)), [warehouse()]);
    await once(child, "message");
    return {
      pid: child.pid,
      release: async (): Promise<void> => {
        child.send("release");
        await once(child, "exit");
      },
    };
  };

  test("is told with the process's number; what is landed stays, and is loaded when it is free", async () => {
    const holder = await hold();
    world.environment = { LEAT_LOCK_WAIT: "0.2" };
    world.change();
    const told = await world.sync();
    expect(codes(told)).toEqual(Array(4).fill("WAREHOUSE_LOCKED"));
    for (const { status, counts, error } of told.results) {
      expect({ status, landed: counts?.["landed"] }).toEqual({ status: "load-failed", landed: 2 });
      expect(error?.message).toMatch(
        new RegExp(`warehouse\\.duckdb is held by .*PID ${holder.pid}\\); waited 0\\.[2-9] s`),
      );
    }
    expectLine(
      told.stderr,
      "WAREHOUSE_LOCKED",
      new RegExp(`Close process ${holder.pid}, or wait longer.*LEAT_LOCK_WAIT`),
    );
    const queried = await world.leat("query", "select 1");
    expect(queried).toMatchObject({ code: 1, stderr: expect.stringContaining("error WAREHOUSE_LOCKED: ") });
    await holder.release();
    world.environment = {};
    const asked = world.depot.requests().length;
    expect(await world.leat("load")).toMatchObject({ code: 0 });
    expect(world.depot.requests().length).toBe(asked);
    await expectMended(world);
  });

  test("is waited for, and then nobody need know", async () => {
    const holder = await hold();
    world.change();
    const syncing = world.sync();
    await new Promise((resolve) => setTimeout(resolve, 400));
    await holder.release();
    expect(await syncing).toMatchObject({ code: 0 });
    await expectMended(world);
  });

  test("for a time that is no time is refused", async () => {
    world.environment = { LEAT_LOCK_WAIT: "long" };
    expect(await world.leat("query", "select 1")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/error CONFIG_INVALID: LEAT_LOCK_WAIT "long" is not a number of seconds/),
    });
  });
});

describe("a warehouse edited by hand", () => {
  /** Rebuilding is what the hint says; it asks nobody. */
  const expectRebuilt = async (...args: string[]): Promise<void> => {
    const asked = world.depot.requests().length;
    const rebuilt = await world.leat("rebuild", ...args);
    expect(rebuilt, rebuilt.stderr).toMatchObject({ code: 0 });
    expect(world.depot.requests().length).toBe(asked);
    expect(await world.leat("verify")).toMatchObject({ code: 0 });
    await expectMended(world);
  };

  test("a row deleted: verify says which package of whom, and rebuild brings it back", async () => {
    await edit("delete from shop_orders where tenant_id = '414' and id = 3");
    const verified = await world.leat("verify");
    expect(verified.code).toBe(1);
    expect(verified.stderr).toMatch(
      /error LEDGER_MISMATCH: shop\.orders \(tenant 414\), package 1: the ledger says 6 rows, the table has 5/,
    );
    expectLine(verified.stderr, "LEDGER_MISMATCH", /run `leat rebuild shop\.orders`/);
    await expectRebuilt("shop.orders");
  });

  test("the ledger emptied: nothing is loaded twice", async () => {
    await edit("delete from _leat_loads where stream = 'orders' and tenant = '414'");
    world.change();
    const told = await world.sync();
    expect(codes(told)).toEqual(["LEDGER_MISMATCH", undefined, undefined, undefined]);
    expectLine(told.stderr, "LEDGER_MISMATCH", /leat rebuild/);
    await world.expectTruth((stream, tenant) => stream === "orders" && tenant === "414");
    await expectRebuilt("shop.orders");
  });

  test("the landing table dropped: told as such for its stream, and the other stream goes on", async () => {
    await edit("drop table shop_orders cascade");
    world.change();
    const told = await world.sync();
    expect(codes(told)).toEqual(["LEDGER_MISMATCH", "LEDGER_MISMATCH", undefined, undefined]);
    expectLine(told.stderr, "LEDGER_MISMATCH", /leat rebuild/);
    expect(told.stderr).toContain("shop.orders: its table main.shop_orders is gone; nothing was loaded.");
    expect(await world.leat("verify")).toMatchObject({ code: 1 });
    await expectRebuilt();
  });

  test("all of leat's tables dropped: it is another warehouse, and is loaded anew", async () => {
    await edit(
      ...["_leat_warehouse", "_leat_streams", "_leat_columns", "_leat_loads", "_leat_rejects"].map(
        (table) => `drop table ${table}`,
      ),
    );
    world.change();
    const told = await world.sync();
    expect(told.code).toBe(1);
    for (const { error } of told.results) expect(error?.hint).toMatch(/leat rebuild/);
    await expectRebuilt();
  });

  test("the file deleted: the next sync loads everything again, from the landing", async () => {
    rmSync(warehouse());
    await expectMended(world);
  });

  test("a column dropped is told, with the stream and what to do", async () => {
    await edit(
      "drop view shop.orders",
      "drop view shop.orders_history",
      "drop view if exists main.orders",
      "alter table shop_orders drop column note",
    );
    world.change();
    const told = await world.sync();
    expect(told.code).toBe(1);
    expect(told.results[0]!.error).toMatchObject({ hint: expect.stringContaining("leat rebuild") });
    await expectRebuilt();
  });
});

describe("a cursor in the future", () => {
  test("in a record is landed and counted, and moves nothing: what comes today is still seen", async () => {
    const before = (await world.standings()).get("orders/414");
    world.depot.put("414", "orders", 80, '"updated_at_":0');
    world.depot.takeBack("414", "orders");
    const future = new Date(Date.now() + 365 * 86_400_000).toISOString();
    world.depot.putText("414", "orders", `{"id":80,"rev":1,"note":"future","updated_at":"${future}"}`);
    const told = await world.sync();
    expect(told).toMatchObject({ code: 0 });
    expect(told.results[0]!.counts).toMatchObject({ landed: 1, unusable_cursor: 1 });
    expect((await world.standings()).get("orders/414")?.cursor).toBe(before?.cursor);
    expect(await world.query("select id::int as id from shop.orders where note = 'future'")).toEqual([
      { id: 80 },
    ]);
    expect(await world.sync()).toMatchObject({ code: 0 });
    world.depot.takeBack("414", "orders");
    world.change();
    expect((await world.sync()).results[0]!.counts).toMatchObject({ landed: 2 });
  });

  test("set by hand is refused, since nothing would be fetched until then", async () => {
    const before = await world.standings();
    const set = await world.leat("state", "set", "shop.orders", "--to", "2199-01-01");
    expect(set).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/error CURSOR_INVALID: .*2199-01-01.*future/),
    });
    expect(await world.standings()).toEqual(before);
    world.change();
    await expectMended(world);
  });

  test("as the beginning of a back-fill is refused", async () => {
    expect(await world.leat("sync", "--from", "2199-01-01")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/error CURSOR_INVALID: .*range from 2199-01-01.* is empty/),
    });
  });
});

describe("a tenants file", () => {
  test("with an id that comes twice asks nobody for anything, and names both places", async () => {
    const text = readFileSync(join(world.path, "tenants.json"), "utf8");
    const asked = world.depot.requests().length;
    world.change();
    world.write("tenants.json", text.replace("]", ',{"id":"414","account":"41","key":"env:KEY_41"}]'));
    for (const command of [["sync"], ["check"], ["extract"], ["load"], ["state", "show"]]) {
      const told = await world.leat(...command);
      expect(told, command.join(" ")).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /error TENANTS_INVALID: .*tenants\.json has 1 fault:\n {2}\[2\]\.id: "414" is also the id of \[0\]\n {2}hint: /,
        ),
      });
    }
    expect(world.depot.requests().length).toBe(asked);
    world.write("tenants.json", text);
    await expectMended(world);
  });

  test("that is not JSON is told by line and column, without what stands there", async () => {
    const text = readFileSync(join(world.path, "tenants.json"), "utf8");
    world.write(
      "tenants.json",
      `[{"id":"414","key":"${world.depot.keyOf("41").replaceAll(/["\\]/g, "")}" "oops"}]`,
    );
    const told = await world.leat("sync");
    expect(told).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/tenants\.json is not JSON \(line 1, column \d+\)/),
    });
    expect(told.stderr).not.toContain(world.depot.keyOf("41").replaceAll(/["\\]/g, ""));
    world.write("tenants.json", text);
    await expectMended(world);
  });
});
