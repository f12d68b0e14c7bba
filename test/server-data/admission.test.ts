import { afterEach, describe, expect, test } from "vitest";
import { createKey, listKeys, revokeKey } from "../../src/server/data/api-keys.ts";
import { openTestHost, type TestHost } from "./open-test-host.ts";

const terms = { name: "a client", expiresAt: null, rate: null, requestsPerDay: null };
const from = (address: string) => ({ "x-forwarded-for": address });
const opened: TestHost[] = [];
const open = async (...options: Parameters<typeof openTestHost>): Promise<TestHost> => {
  const host = await openTestHost(...options);
  opened.push(host);
  return host;
};
afterEach(async () => {
  for (const host of opened.splice(0)) await host[Symbol.asyncDispose]();
});

describe("keys", () => {
  test("are asked for where they are required, and a browser is told in a page", async () => {
    const host = await open({ admission: { keys: "required" } });
    const without = await host.get("/datasets");
    expect(without.status).toBe(401);
    expect(without.headers.get("www-authenticate")).toContain("Bearer");
    expect(await without.json()).toMatchObject({ type: "urn:leat:problem:key-missing", status: 401 });
    const page = await host.get("/", { accept: "text/html" });
    expect(page.status).toBe(401);
    expect(await page.text()).toContain("A key is needed here.");
    expect((await host.get("/live")).status).toBe(200);
    expect((await host.get("/ready")).status).toBe(200);
  });

  test("let their holders in by either header, and their answers are nobody else's to keep", async () => {
    const host = await open({ admission: { keys: "required" } });
    const { text } = await createKey(host.test.store, terms, Date.now());
    await host.ring.refresh();
    const bearer = await host.get("/datasets", { authorization: `Bearer ${text}` });
    expect(bearer.status).toBe(200);
    expect(bearer.headers.get("cache-control")).toContain("private");
    expect((await host.get("/datasets", { "x-api-key": text })).status).toBe(200);
    for (const wrong of [`${text}x`, text.slice(0, -1), `leat_000000000000_${"a".repeat(43)}`, "x", ""]) {
      const refused = await host.get("/datasets", { "x-api-key": wrong });
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toContain(text);
    }
  });

  test("end when they are revoked or their time has come", async () => {
    const host = await open({ admission: { keys: "required" } });
    const { store } = host.test;
    const kept = await createKey(store, terms, Date.now());
    const old = await createKey(
      store,
      { ...terms, expiresAt: new Date(Date.now() - 1000).toISOString() },
      Date.now(),
    );
    await host.ring.refresh();
    expect((await host.get("/datasets", { "x-api-key": kept.text })).status).toBe(200);
    const expired = await host.get("/datasets", { "x-api-key": old.text });
    expect(await expired.json()).toMatchObject({ status: 401, detail: expect.stringContaining("expired") });
    expect(await revokeKey(store, kept.key.id, Date.now())).toBe(true);
    expect(await revokeKey(store, kept.key.id, Date.now())).toBe(false);
    await host.ring.refresh();
    const revoked = await host.get("/datasets", { "x-api-key": kept.text });
    expect(await revoked.json()).toMatchObject({ status: 401, detail: expect.stringContaining("revoked") });
    await expect(revokeKey(store, "000000000000", Date.now())).rejects.toMatchObject({ code: "KEY_UNKNOWN" });
  });

  test("are kept as hashes, and are neither in the store nor in the log", async () => {
    const host = await open({ admission: { keys: "optional" } });
    const { store } = host.test;
    const { text, key } = await createKey(store, terms, Date.now());
    await host.ring.refresh();
    await (await host.get("/datasets", { "x-api-key": text })).text();
    const secret = text.split("_").slice(2).join("_"); // Its own characters may be underscores.
    for await (const { key: object } of store.list("api/")) {
      const kept = Buffer.from((await store.read(object))!).toString("utf8");
      expect(kept).not.toContain(secret);
    }
    expect([...(await listKeys(store)).keys()]).toEqual([key.id]);
    await expect.poll(() => host.logged.at(-1)?.["key"], { timeout: 20_000 }).toBe(key.id);
    expect(JSON.stringify(host.logged)).not.toContain(secret);
  });

  test("have rates and quotas of their own, and these begin again at midnight UTC", async () => {
    let nowMs = Date.UTC(2028, 1, 29, 23, 59, 58);
    const host = await open({
      admission: { keys: "required", keyRate: { perSecond: 0.001, burst: 2 } },
      nowMs: () => nowMs,
    });
    const { store } = host.test;
    const slow = await createKey(store, terms, nowMs);
    const fast = await createKey(
      store,
      { ...terms, rate: { perSecond: 100, burst: 100 }, requestsPerDay: 3 },
      nowMs,
    );
    await host.ring.refresh();
    /** Four requests: what each was answered, and after how many seconds it may be asked again. */
    const ask = async (text: string) => {
      const seen: [number, string | null][] = [];
      for (let at = 0; at < 4; at++) {
        const answer = await host.get("/datasets", { "x-api-key": text });
        seen.push([answer.status, answer.headers.get("retry-after")]);
        await answer.text();
      }
      return seen;
    };
    const well = [200, null];
    expect(await ask(slow.text)).toEqual([well, well, [429, "1000"], [429, "1000"]]);
    expect(await ask(fast.text)).toEqual([well, well, well, [429, "2"]]);
    nowMs += 1999;
    expect(await ask(fast.text)).toEqual(Array.from({ length: 4 }, () => [429, "1"]));
    nowMs += 1;
    expect(await ask(fast.text)).toEqual([well, well, well, [429, "86400"]]);
  });
});

describe("addresses", () => {
  const admission = { addressRate: { perSecond: 0.001, burst: 2 } };

  test("have a rate each, told by the proxies that are trusted", async () => {
    const host = await open({ admission, proxies: ["loopback"] });
    const ask = async (address: string) => (await host.get("/datasets", from(address))).status;
    expect([await ask("192.0.2.1"), await ask("192.0.2.1"), await ask("192.0.2.1")]).toEqual([200, 200, 429]);
    expect(await ask("192.0.2.2")).toBe(200);
    // Of what a client writes itself nothing is believed: only the last entry is the proxy's.
    expect(await ask("198.51.100.7, 192.0.2.1")).toBe(429);
    // One customer of IPv6 has 2^64 addresses.
    expect([await ask("2001:db8::1"), await ask("2001:db8::2"), await ask("2001:db8::3")]).toEqual([
      200, 200, 429,
    ]);
    const refused = await host.get("/datasets", from("192.0.2.1"));
    expect(await refused.json()).toMatchObject({ type: "urn:leat:problem:rate-limited", status: 429 });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(100);
  });

  test("are not taken from X-Forwarded-For of anybody", async () => {
    const host = await open({ admission });
    for (let at = 0; at < 5; at++) expect((await host.get("/datasets", from("192.0.2.1"))).status).toBe(200);
    expect(host.logged.every((line) => line["address"] === "127.0.0.1")).toBe(true);
  });

  test("that guess keys are counted as well", async () => {
    const host = await open({ admission: { ...admission, keys: "required" }, proxies: ["loopback"] });
    const ask = async () => (await host.get("/datasets", { ...from("192.0.2.9"), "x-api-key": "x" })).status;
    expect([await ask(), await ask(), await ask()]).toEqual([401, 401, 429]);
  });
});
