/** The console's files, as a build leaves them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { type ApiStand, token, withApi } from "./open-api.ts";

const script = "console.log('the console');".repeat(50);
const page = '<!doctype html><html><head><base href="/" /><title>leat</title></head><body></body></html>';

/** A console as `vite build` leaves it, and the API that serves it. */
async function withUi(call: (stand: ApiStand) => Promise<void>, basePath = ""): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "leat-ui-"));
  try {
    mkdirSync(join(folder, "assets"));
    mkdirSync(join(folder, ".vite"));
    writeFileSync(join(folder, "index.html"), page);
    writeFileSync(join(folder, "icon.svg"), "<svg/>");
    writeFileSync(join(folder, ".vite/manifest.json"), "{}");
    writeFileSync(join(folder, "assets/index-1a2b.js"), script);
    writeFileSync(join(folder, "assets/index-1a2b.js.br"), brotliCompressSync(script));
    writeFileSync(join(folder, "assets/index-1a2b.js.gz"), gzipSync(script));
    await withApi(call, { token, uiFolder: pathToFileURL(`${folder}/`), basePath });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const html = { accept: "text/html,application/xhtml+xml" };

test("the page is answered at every address of the console, with nobody signed in, under a strict policy", async () => {
  await withUi(async ({ app }) => {
    for (const url of [
      "/",
      "/runs?state=failed",
      "/sources/shop/tenant%20%C3%BC/orders.v2",
      "/index.html",
      "/signin",
    ]) {
      const answer = await app.inject({ url, headers: html });
      expect([answer.statusCode, answer.headers["content-type"]], url).toEqual([
        200,
        "text/html; charset=utf-8",
      ]);
      expect(answer.body, url).toContain('<base href="/" />');
      const policy = String(answer.headers["content-security-policy"]);
      expect(policy).toContain("default-src 'self'; script-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/script-src[^;]*unsafe|https?:/);
    }
    const tag = String((await app.inject({ url: "/", headers: html })).headers["etag"]);
    const known = await app.inject({ url: "/runs", headers: { ...html, "if-none-match": tag } });
    expect([known.statusCode, known.body]).toEqual([304, ""]);
  });
});

test("below a base path the page says where it is, and both forms of the address lead there", async () => {
  await withUi(async ({ app }) => {
    for (const url of ["/leat", "/leat/", "/leat/runs", "/runs"])
      expect((await app.inject({ url, headers: html })).body, url).toContain('<base href="/leat/" />');
    expect((await app.inject({ url: "/leat/assets/index-1a2b.js" })).body).toBe(script);
    expect((await app.inject({ url: "/leat/api/session" })).statusCode).toBe(200);
    expect((await app.inject({ url: "/leather", headers: html })).statusCode).toBe(200);
    const headers = { authorization: `Bearer ${token}` };
    expect((await app.inject({ url: "/leat/api/openapi.json", headers })).json().servers).toEqual([
      { url: "/leat" },
    ]);
  }, "/leat");
});

test("a file is sent as it was compressed, is kept for good, and is told by HEAD", async () => {
  await withUi(async ({ app }) => {
    const url = "/assets/index-1a2b.js";
    const sent = async (coding: string) => {
      const answer = await app.inject({ url, headers: { "accept-encoding": coding } });
      return [answer.headers["content-encoding"], answer.rawPayload.length];
    };
    expect(await sent("gzip, deflate, br, zstd")).toEqual(["br", brotliCompressSync(script).length]);
    expect(await sent("gzip")).toEqual(["gzip", gzipSync(script).length]);
    expect(await sent("br;q=0, gzip")).toEqual(["gzip", gzipSync(script).length]);
    expect(await sent("identity")).toEqual([undefined, script.length]);
    const plain = await app.inject({ url });
    expect(plain.headers).toMatchObject({
      "cache-control": "public, max-age=31536000, immutable",
      "content-type": "text/javascript; charset=utf-8",
      "x-content-type-options": "nosniff",
      vary: "accept-encoding",
    });
    const head = await app.inject({ method: "HEAD", url });
    expect([head.statusCode, head.body, head.headers["content-length"]]).toEqual([
      200,
      "",
      String(script.length),
    ]);
    const known = await app.inject({ url, headers: { "if-none-match": String(plain.headers["etag"]) } });
    expect(known.statusCode).toBe(304);
    expect((await app.inject({ url: "/icon.svg" })).headers["cache-control"]).toBe("no-cache");
  });
});

test("what is not the console's leads nowhere", async () => {
  await withUi(async ({ app }) => {
    for (const url of [
      "/assets/none.js",
      "/assets/../../../etc/passwd",
      "/assets/%2e%2e/%2e%2e/etc/passwd",
      "/.vite/manifest.json",
      "/assets/index-1a2b.js.map",
      "/..%2fetc%2fpasswd",
      "/%00",
      "/%zz",
    ]) {
      const answer = await app.inject({ url });
      expect([answer.statusCode, answer.headers["content-type"]], url).toEqual([
        expect.toSatisfy((status: number) => status === 404 || status === 400 || status === 401),
        expect.stringContaining("application/problem+json"),
      ]);
    }
    // An address below /api is the API's, whoever asks: a console must not take a page for an answer.
    expect((await app.inject({ url: "/api/none", headers: html })).statusCode).toBe(401);
    expect((await app.inject({ method: "POST", url: "/runs", headers: html })).statusCode).toBe(401);
  });
});

test("where the console is not built, its page says how to", async () => {
  await withApi(async ({ app }) => {
    const answer = await app.inject({ url: "/runs", headers: html });
    expect([answer.statusCode, answer.body]).toEqual([503, expect.stringContaining("npm run build:ui")]);
    expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
  });
});
