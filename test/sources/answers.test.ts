/** Answers of every kind: packed, huge, elsewhere, for people, without content; and proxies. */
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import * as zlib from "node:zlib";
import { afterEach, expect, test, vi } from "vitest";
import { wholeBytesMax } from "../../src/sources/http/transport.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import type { RestDeclaration, RestStreamDeclaration } from "../../src/sources/rest/rest-declaration.ts";
import { readStream } from "./drive-reader.ts";
import { answerJson, type Partner, startPartner } from "./partner-server.ts";
import { testTenant, testWorld } from "./test-world.ts";

const declare = (
  partner: Pick<Partner, "origin">,
  stream: Partial<RestStreamDeclaration> = {},
  more: Partial<RestDeclaration> = {},
) =>
  rest({
    name: "api",
    baseUrl: partner.origin,
    streams: { items: { path: "/items", pagination: { type: "single" }, ...stream } },
    ...more,
  });

afterEach(() => vi.unstubAllEnvs());

const records = Array.from({ length: 2000 }, (_, id) => ({ id, text: "é".repeat(id % 50) }));
const json = Buffer.from(JSON.stringify(records));
const halves = [json.subarray(0, 20_001), json.subarray(20_001)] as const;
/** A skippable zstd frame of five bytes. */
const skippable = Buffer.from("502a4d1805000000" + "0102030405", "hex");

test.each<[string, string, Buffer]>([
  ["gzip", "gzip", zlib.gzipSync(json)],
  ["gzip of two members", "gzip", Buffer.concat(halves.map((half) => zlib.gzipSync(half)))],
  ["x-gzip", "x-gzip", zlib.gzipSync(json)],
  ["brotli", "br", zlib.brotliCompressSync(json)],
  ["zstd", "zstd", zlib.zstdCompressSync(json)],
  [
    "zstd of two frames and a skippable one",
    "zstd",
    Buffer.concat([zlib.zstdCompressSync(halves[0]), skippable, zlib.zstdCompressSync(halves[1])]),
  ],
  [
    "zstd with checksum",
    "zstd",
    zlib.zstdCompressSync(json, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
  ],
  ["deflate as zlib wraps it", "deflate", zlib.deflateSync(json)],
  ["deflate as it is", "deflate", zlib.deflateRawSync(json)],
  ["gzip over brotli", "br, gzip", zlib.gzipSync(zlib.brotliCompressSync(json))],
])("%s is undone, whole and as a stream", async (_, coding, packed) => {
  await using partner = await startPartner((request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": coding });
    if (request.path === "/items") {
      response.end(packed);
      return;
    }
    for (let at = 0; at < packed.length; at += 777) response.write(packed.subarray(at, at + 777));
    response.end();
  });
  expect((await readStream(declare(partner), "items")).records).toEqual(records);
  expect((await readStream(declare(partner, { path: "/pieces" }), "items")).records).toEqual(records);
  expect(partner.requests[0]?.headers["accept-encoding"]).toBe("zstd, gzip, br;q=0.5");
});

test.each<[string, (bytes: Buffer) => Buffer]>([
  ["gzip", (bytes) => zlib.gzipSync(bytes)],
  ["br", (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
  [
    "zstd",
    (bytes) =>
      Buffer.concat([
        zlib.zstdCompressSync(bytes.subarray(0, 999)),
        skippable,
        zlib.zstdCompressSync(bytes.subarray(999)),
      ]),
  ],
  ["deflate", (bytes) => zlib.deflateRawSync(bytes)],
])("a small %s answer that unpacks to more than is held whole streams, equal to the last byte", async (coding, pack) => {
  const large = Buffer.from(
    JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, text: "x".repeat(500) }))),
  );
  expect(large.length).toBeGreaterThan(wholeBytesMax);
  const packed = pack(large);
  await using partner = await startPartner((_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": coding }).end(packed);
  });
  const read = await readStream(declare(partner), "items");
  expect(Buffer.from(read.pages[0]!.text).equals(large)).toBe(true);
});

test.each(["gzip", "br", "zstd"])("%s that breaks off is fetched again", async (coding) => {
  const pack = { gzip: zlib.gzipSync, br: zlib.brotliCompressSync, zstd: zlib.zstdCompressSync }[coding]!;
  const packed = pack(json);
  await using partner = await startPartner((_, response, count) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": coding });
    response.end(count === 1 ? packed.subarray(0, packed.length - 20) : packed);
  });
  const read = await readStream(declare(partner), "items");
  expect([read.records.length, read.requestCount]).toEqual([2000, 2]);
});

test("an encoding that leat does not know is named", async () => {
  await using partner = await startPartner((_, response) => {
    response.writeHead(200, { "content-encoding": "compress" }).end("x");
  });
  await expect(readStream(declare(partner), "items")).rejects.toMatchObject({
    code: "SOURCE_NOT_JSON",
    message: expect.stringContaining('"compress"'),
  });
});

test("an answer of 64 MiB streams with bounded memory: what nobody reads waits at the partner", async () => {
  const record = JSON.stringify({ id: 1, text: "x".repeat(16 * 1024 - 30) });
  const count = 4096;
  let sentBytes = 0;
  await using partner = await startPartner(async (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    for (let index = 0; index < count; index++) {
      const piece = (index === 0 ? "[" : ",") + record;
      sentBytes += piece.length;
      if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve));
    }
    response.end("]");
  });
  const reader = await declare(partner).open("items", testTenant(), testWorld());
  const reading = reader.read(
    { start: undefined, end: undefined, partition: undefined },
    new AbortController().signal,
  );
  const step = await reading.next();
  if (step.done === true) throw new Error("no page");
  // Nobody reads; as much goes on being sent as sockets and the two buffers hold, and then nothing more.
  let settledAt = -1;
  while (settledAt !== sentBytes || sentBytes <= wholeBytesMax) {
    settledAt = sentBytes;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  expect(sentBytes).toBeGreaterThan(wholeBytesMax);
  expect(sentBytes).toBeLessThan(wholeBytesMax + 16 * 1024 * 1024);
  let receivedBytes = 0;
  let largest = 0;
  for await (const chunk of step.value.body) {
    receivedBytes += chunk.length;
    largest = Math.max(largest, chunk.length);
  }
  expect(receivedBytes).toBe(count * (record.length + 1) + 1);
  expect(largest).toBeLessThanOrEqual(1024 * 1024);
  await reading.next({
    recordCount: count,
    envelope: [],
    lastRecord: Buffer.from(record),
    isMismatch: false,
  });
  await reader.close();
});

test("a large answer that breaks off is SOURCE_TRUNCATED: what was handed on cannot be asked for again", async () => {
  await using partner = await startPartner((_, response) => {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": String(wholeBytesMax * 2),
    });
    response.write(`[${"{},".repeat(500_000)}`, () => response.socket?.destroy());
  });
  await expect(readStream(declare(partner), "items")).rejects.toMatchObject({
    code: "SOURCE_TRUNCATED",
    retryable: true,
  });
  expect(partner.requests).toHaveLength(1);
});

test("a reader that leaves a large answer ends the connection", async () => {
  let isClosed = false;
  await using partner = await startPartner((_, response) => {
    response.on("close", () => {
      isClosed = true;
    });
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": String(wholeBytesMax * 2),
    });
    response.write("[{}");
  });
  const reader = await declare(partner).open("items", testTenant(), testWorld());
  const reading = reader.read(
    { start: undefined, end: undefined, partition: undefined },
    new AbortController().signal,
  );
  const step = await reading.next();
  if (step.done === true) throw new Error("no page");
  for await (const _ of step.value.body) break;
  await reading.return();
  await reader.close();
  await vi.waitFor(() => expect(isClosed).toBe(true));
});

test.each([
  ["by its type", "text/html; charset=utf-8", "<p>Please log in</p>"],
  ["by its beginning", "application/json", "\n<!DOCTYPE html><html><body>Please log in</body></html>"],
])("a page for people, told %s, is SOURCE_MOVED with its beginning", async (_, type, body) => {
  await using partner = await startPartner((_request, response) =>
    response.writeHead(200, { "content-type": type }).end(body),
  );
  await expect(readStream(declare(partner), "items")).rejects.toMatchObject({
    code: "SOURCE_MOVED",
    details: { beginning: body.trim() },
  });
  expect(partner.requests).toHaveLength(1);
});

test.each([
  "<?xml version='1.0'?><a/>",
  ")]}',\n[]",
  "id,name\n1,a",
])("%j is SOURCE_NOT_JSON", async (body) => {
  await using partner = await startPartner((_, response) => response.writeHead(200).end(body));
  await expect(readStream(declare(partner), "items")).rejects.toMatchObject({ code: "SOURCE_NOT_JSON" });
});

test("a redirect within the partner is followed, a few times", async () => {
  await using partner = await startPartner((request, response) => {
    const hops = Number(request.query.get("hop") ?? 0);
    if (request.path === "/round" || hops < 3) {
      return void response.writeHead(307, { location: `?hop=${hops + 1}` }).end();
    }
    answerJson(response, [{ id: hops }]);
  });
  expect((await readStream(declare(partner), "items")).records).toEqual([{ id: 3 }]);
  await expect(readStream(declare(partner, { path: "/round" }), "items")).rejects.toMatchObject({
    code: "SOURCE_MOVED",
  });
  expect(partner.requests).toHaveLength(4 + 6);
});

test("a redirected POST is SOURCE_MOVED", async () => {
  await using partner = await startPartner((_, response) =>
    response.writeHead(302, { location: "/other" }).end(),
  );
  const stream = { method: "POST", body: { json: {} } } as const;
  await expect(readStream(declare(partner, stream), "items")).rejects.toMatchObject({ code: "SOURCE_MOVED" });
});

test.each([
  ["", []],
  ["data.items", []],
  ["[*].plants[*]", []],
  ["lines", []],
])("204 is a page without records, with records at %j", async (selector, expected) => {
  await using partner = await startPartner((_, response) => response.writeHead(204).end());
  const read = await readStream(declare(partner, { records: selector }), "items");
  expect(read.records).toEqual(expected);
  expect(read.pages).toHaveLength(1);
});

test("a status that means no records is a page without records", async () => {
  await using partner = await startPartner((_, response) =>
    answerJson(response, { error: "gone" }, { status: 404 }),
  );
  expect((await readStream(declare(partner, { emptyStatuses: [404] }), "items")).records).toEqual([]);
});

test("the partner's clock comes from its Date header, with how long the request took", async () => {
  await using partner = await startPartner((_, response) => {
    answerJson(response, [], { headers: { date: "Sat, 04 Dec 2021 20:13:21 GMT" } });
  });
  const [page] = (await readStream(declare(partner), "items")).pages;
  expect(page?.page.clock).toEqual({ dateMs: Date.parse("2021-12-04T20:13:21Z"), requestMs: 0 });
});

test("JSON Lines", async () => {
  await using partner = await startPartner((_, response) =>
    response.writeHead(200).end('{"id":1}\n\n{"id":2}\n'),
  );
  const read = await readStream(declare(partner, { records: "lines" }), "items");
  expect(read.records).toEqual([{ id: 1 }, { id: 2 }]);
});

test("HTTP_PROXY is honoured, and NO_PROXY before it", async () => {
  await using partner = await startPartner((_, response) => answerJson(response, [{ id: 1 }]));
  const throughProxy: string[] = [];
  const proxy = createServer((incoming: IncomingMessage, response) => {
    throughProxy.push(incoming.url ?? "");
    answerJson(response, [{ id: "proxied" }]);
  });
  proxy.on("connect", (incoming, socket, head) => {
    throughProxy.push(incoming.url ?? "");
    const target = new URL(partner.origin);
    const upstream = connect(Number(target.port), target.hostname, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo; // A listening TCP server has one.
  vi.stubEnv("HTTP_PROXY", `http://127.0.0.1:${port}`);
  vi.stubEnv("http_proxy", `http://127.0.0.1:${port}`);
  vi.stubEnv("NO_PROXY", "");
  vi.stubEnv("no_proxy", "");
  await readStream(declare(partner), "items");
  expect(throughProxy).toEqual([expect.stringContaining(new URL(partner.origin).host)]);
  vi.stubEnv("no_proxy", "127.0.0.1");
  await readStream(declare(partner), "items");
  expect(throughProxy).toHaveLength(1);
  proxy.closeAllConnections();
  proxy.close();
});
