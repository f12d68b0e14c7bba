import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestHost, type TestHost } from "./open-test-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await openTestHost();
});
afterAll(() => host[Symbol.asyncDispose]());

const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("a host of the data API", () => {
  test("answers a declared route, its permanent address, HEAD and 304", async () => {
    const answer = await host.get("/year/2018/geo_code/E00000001");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ year: 2018, geo_code: "E00000001" });
    const tag = answer.headers.get("etag")!;
    const again = await host.get("/year/2018/geo_code/E00000001", { "if-none-match": tag });
    expect(again.status).toBe(304);
    const version = answer.headers.get("leat-version");
    const permanent = await host.get(`/v/${version}/year/2018/geo_code/E00000001`);
    expect(permanent.headers.get("cache-control")).toContain("immutable");
    const head = await fetch(`${host.url}/datasets/deaths/rows`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(100);
  });

  test("gives pages to people and data to programs, at one address", async () => {
    const page = await host.get("/datasets/deaths", html);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("content-security-policy")).not.toContain("unsafe");
    const data = await host.get("/datasets/deaths");
    expect(data.headers.get("content-type")).toContain("application/json");
    expect(data.headers.get("content-security-policy")).toContain("sandbox");
    expect(data.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("escapes whatever a request says", async () => {
    const attack = encodeURIComponent('"><script>alert(1)</script>');
    for (const path of [
      `/datasets/${attack}`,
      `/datasets/deaths?geo_name=${attack}`,
      `/datasets/deaths?sort=${attack}`,
      `/datasets/deaths?~x=${attack}`,
      `/datasets/deaths?${attack}=1`,
    ]) {
      const page = await host.get(path, html);
      expect(page.status).toBeLessThan(500);
      expect(await page.text()).not.toContain("<script>alert");
    }
    const forged = await host.raw(
      `GET /datasets/deaths HTTP/1.1\r\nHost: x"><script>\r\nAccept: text/html\r\nConnection: close\r\n\r\n`,
    );
    expect(forged).not.toContain('x"><script>');
  });

  test("adds a condition by a form, without JavaScript", async () => {
    const added = await host.get(
      "/datasets/deaths?~column=deaths&~operator=gte&~value=30&sort=-deaths",
      html,
    );
    expect(added.status).toBe(303);
    expect(added.headers.get("location")).toBe("/datasets/deaths?sort=-deaths&deaths.gte=30");
    const page = await (await host.get(added.headers.get("location")!, html)).text();
    expect(page).toContain("deaths ≥ 30");
    expect(page).toContain('aria-sort="descending"');
  });

  test("turns pages by links, and shows each row once", async () => {
    const seen: string[] = [];
    for (let path: string | undefined = "/datasets/deaths?limit=25"; path !== undefined; ) {
      const page = await (await host.get(path, html)).text();
      const table = page.slice(page.indexOf('<table class="data"'), page.indexOf("</table>"));
      const body = table.slice(table.indexOf("<tbody>"));
      seen.push(...body.split("<tr>").slice(1));
      path = /rel="next" href="([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(seen.length).toBe(120);
    expect(new Set(seen).size).toBe(120);
  });

  test("tells health and readiness", async () => {
    expect(await (await host.get("/live")).json()).toEqual({ status: "live" });
    const ready = await host.get("/ready");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: "ready",
      datasets: [{ dataset: "deaths", rowCount: 120 }],
    });
  });

  test("counts with few labels, whatever is asked", async () => {
    for (let at = 0; at < 50; at++) {
      await host.get(`/nothing-${at}/here?x=${at}`);
      await host.get(`/year/2018/geo_code/X${at}`);
      await host.get(`/datasets/none-${at}/rows`);
    }
    const printed = await (await host.get("/metrics")).text();
    const requests = printed
      .split("\n")
      .filter((line) => line.startsWith("http_server_request_duration_count"));
    expect(printed).not.toContain("nothing-1");
    expect(printed).not.toContain("127.0.0.1");
    expect(requests.length).toBeLessThan(40);
    expect(requests.join("\n")).toContain('http_route="/year/{year}/geo_code/{geo_code}"');
    expect(printed).toMatch(/leat_dataset_rows\{[^}]*dataset="deaths"[^}]*\} 120/);
  });

  test("logs a line for each request", async () => {
    const before = host.logged.length;
    await (await host.get("/datasets/deaths/rows?limit=3")).text();
    await expect.poll(() => host.logged.length, { timeout: 20_000 }).toBeGreaterThan(before);
    expect(host.logged.at(-1)).toMatchObject({
      method: "GET",
      url: "/datasets/deaths/rows?limit=3",
      status: 200,
      address: "127.0.0.1",
    });
  });

  test("answers what a browser asks before it asks (CORS), for everybody or for some", async () => {
    const asked = {
      method: "OPTIONS",
      headers: { origin: "https://a.example", "access-control-request-method": "GET" },
    };
    const open = await fetch(`${host.url}/datasets`, asked);
    expect(open.status).toBe(204);
    expect(open.headers.get("access-control-allow-origin")).toBe("*");
    await using some = await openTestHost({ cors: { origins: ["https://a.example"] } });
    const allowed = await some.get("/datasets", { origin: "https://a.example" });
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://a.example");
    expect(allowed.headers.get("vary")).toContain("origin");
    const other = await some.get("/datasets", { origin: "https://b.example" });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("swaps versions under requests, none of which fails", async () => {
    const { deathsRows, deathsSchema } = await import("../serve/deaths-api.ts");
    const stop = new AbortController();
    const bad: number[] = [];
    let asked = 0;
    const asking = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) {
        const answer = await host.get("/area/E00000001");
        await answer.text();
        asked++;
        if (answer.status !== 200) bad.push(answer.status);
      }
    });
    for (let version = 1; version <= 3; version++) {
      await host.test.published.publish("deaths", deathsSchema, deathsRows(5, version));
      await host.test.refresh();
    }
    stop.abort();
    await Promise.all(asking);
    expect(bad).toEqual([]);
    expect(asked).toBeGreaterThan(10);
  });
});
