/** Commands beside each other, and cut off at any time: whatever happens, the next sync is complete and nothing is twice. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Running, startLeat } from "../cli/leat-process.ts";
import { tenants } from "./depot.ts";
import { expectMended } from "./expect-one-fails.ts";
import { type CommandHost, openHost } from "./open-host.ts";
import { openWorld, type ShopWorld } from "./shop-world.ts";

let host: CommandHost;
let world: ShopWorld;
beforeAll(() => {
  host = openHost();
});
afterAll(() => host.close());
beforeEach(async () => {
  world = await openWorld(host);
});
afterEach(() => world[Symbol.asyncDispose]());

const start = (...args: readonly string[]): Running => startLeat(world.path, args);

/** Enough pages that there is something to cut. */
const changeMuch = (): void => {
  for (let n = 0; n < 10; n++) world.change();
};

/** Resolves when so many more requests have come. */
async function untilAsked(more: number): Promise<void> {
  const wanted = world.depot.requests().length + more;
  while (world.depot.requests().length < wanted) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("a sync", () => {
  test.each([
    ["SIGINT", 1],
    ["SIGTERM", 3],
    ["SIGINT", 7],
    ["SIGKILL", 5],
  ] as const)("that gets %s after request %i is made good by the next", async (signal, requests) => {
    changeMuch();
    world.depot.delayMs = 20;
    const { child, ended } = start("sync", "--json");
    await untilAsked(requests);
    child.kill(signal);
    const { code, stdout } = await ended;
    if (signal !== "SIGKILL") {
      expect(code).toBe(130);
      for (const { ok, error } of JSON.parse(stdout).results) {
        expect(ok || error.code).toBe(ok || "INTERRUPTED");
      }
    }
    world.depot.delayMs = 0;
    await expectMended(world);
    expect(await world.leat("verify")).toMatchObject({ code: 0 });
  });

  test("beside another, both with 0, has every record once", async () => {
    for (let round = 0; round < 2; round++) {
      changeMuch();
      world.depot.delayMs = 5;
      const both = await Promise.all([start("sync").ended, start("sync").ended]);
      for (const { code, stderr } of both) expect(code, stderr).toBe(0);
      world.depot.delayMs = 0;
      await world.expectTruth();
    }
    await expectMended(world);
  });

  test("beside gc and rebuild is neither robbed nor overwritten", async () => {
    expect(await world.sync()).toMatchObject({ code: 0 });
    changeMuch();
    world.depot.delayMs = 30;
    const syncing = start("sync").ended;
    await untilAsked(2);
    const beside = [await world.leat("gc"), await world.leat("rebuild"), await world.leat("gc")];
    for (const { code, stderr } of beside) expect(code, stderr).toBe(0);
    const { code, stderr } = await syncing;
    expect(code, stderr).toBe(0);
    world.depot.delayMs = 0;
    await expectMended(world);
    expect(await world.leat("verify")).toMatchObject({ code: 0 });
  });
});

describe("the sync app", () => {
  let server: Running;
  let url: string;
  beforeEach(async () => {
    server = start("serve-sync", "--port", "0", "--drain", "6");
    let told = "";
    server.child.stdout?.on("data", (text: string) => {
      told += text;
    });
    await server.saw("listening on");
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(told)![0]; // It has just been seen.
  });
  afterEach(async () => {
    server.child.kill("SIGKILL");
    await server.ended;
  });

  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }; // It answers objects only.
  };

  test("serves one tenant's stream once to fifty callers, and others beside it", async () => {
    changeMuch();
    const same = Array.from({ length: 50 }, () => ask("/orders?tenant_id=414"));
    const others = ["/items?tenant_id=414", "/orders?tenant_id=41", "/items?tenant_id=41"].map((path) =>
      ask(path),
    );
    for (const { status } of await Promise.all(others)) expect(status).toBe(200);
    const answers = await Promise.all(same);
    for (const { status, body } of answers) {
      expect([200, 409]).toContain(status);
      if (status === 409) expect(body).toMatchObject({ code: "STATE_CONFLICT", retryable: true });
    }
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    await expectMended(world);
  });

  test("finishes what a caller no longer waits for, and answers the others", async () => {
    changeMuch();
    world.depot.delayMs = 20;
    const cut = new AbortController();
    const gone = ask("/orders?tenant_id=414", { signal: cut.signal });
    const waiting = ask("/orders?tenant_id=41");
    await untilAsked(2);
    cut.abort();
    await expect(gone).rejects.toThrow(/abort/);
    expect((await waiting).status).toBe(200);
    world.depot.delayMs = 0;
    expect((await ask("/orders?tenant_id=414")).status).toSatisfy(
      (status) => status === 200 || status === 409,
    );
    await expectMended(world);
  });

  test("answers everybody before SIGTERM ends it", async () => {
    changeMuch();
    world.depot.delayMs = 40;
    const asked = tenants.flatMap((tenant) => [`/orders?tenant_id=${tenant}`, `/items?tenant_id=${tenant}`]);
    const answers = Promise.all(asked.map((path) => ask(path)));
    await untilAsked(3);
    server.child.kill("SIGTERM");
    for (const { status, body } of await answers) {
      expect([200, 503]).toContain(status);
      if (status === 503) expect(body).toMatchObject({ code: "INTERRUPTED", retryable: true });
    }
    expect(await server.ended).toMatchObject({ code: 0 });
    world.depot.delayMs = 0;
    await expectMended(world);
  });

  const wrong: readonly (readonly [string, number, string, RegExp])[] = [
    ["/orders", 400, "USAGE", /tenant_id is missing/],
    ["/orders?tenant_id=41&tenant_id=414", 400, "USAGE", /comes twice/],
    ["/orders?tenant_id[]=41", 400, "USAGE", /no option "tenant_id\[\]"/],
    ["/orders?__proto__=1", 400, "USAGE", /no option "__proto__"/],
    ["/orders?tenant_id=..%2f41", 404, "TENANT_UNKNOWN", /no tenant "\.\.\/41"/],
    ["/orders?tenant_id=41&from=2199-01-01", 400, "USAGE", /is empty/],
    ["/orders?tenant_id=41&from=yesterday", 400, "USAGE", /cannot be read/],
    ["/%2e%2e%2fetc?tenant_id=41", 404, "STREAM_UNKNOWN", /no source or stream/],
    ["/%E0%A4%A", 400, "USAGE", /not a valid url/],
  ];

  test("refuses what cannot be meant, says what may be asked, and asks nobody", async () => {
    const asked = world.depot.requests().length;
    for (const [path, status, code, detail] of wrong) {
      const answer = await ask(path);
      expect(answer, path).toMatchObject({ status, body: { code, detail: expect.stringMatching(detail) } });
      expect(answer.body["hint"], path).not.toMatch(/--help/);
    }
    expect(world.depot.requests().length).toBe(asked);
  });
});
