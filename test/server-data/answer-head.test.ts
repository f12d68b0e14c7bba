/** Heads that are put together by us are, byte for byte, those that Node would have written. */
import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeaderBlock, toHeaderBlock, writeTextHead } from "../../src/server/data/answer-head.ts";

const body = '{"a":"\xc3\xa9"}\n';
const headers = [
  "content-type",
  "application/json",
  "content-length",
  String(body.length),
  "etag",
  '"0123-4567.json"',
  "vary",
  "accept, accept-encoding",
  "x-latin",
  "\xe9t\xe9",
];
const more = toHeaderBlock(["x-content-type-options", "nosniff", "vary", "origin"]);

/** We hand Node the length last. */
const length = headers.slice(2, 4);
const withoutLength = [...headers.slice(0, 2), ...headers.slice(4)];

/** Of an answer that is given again and again. */
const kept = { more: undefined, lines: "" };

const writers: Readonly<Record<string, (response: ServerResponse, block: HeaderBlock) => void>> = {
  "/ours": (response, block) => writeTextHead(response, { headers }, block),
  "/kept": (response, block) => writeTextHead(response, { headers, kept }, block),
  "/node": (response, block) => {
    response.writeHead(200, [...withoutLength, ...block.list, ...length]);
  },
};

let server: Server;
beforeAll(async () => {
  server = createServer({ keepAliveTimeout: 3000 }, (request, response) => {
    writers[request.url!]!(response, more);
    response.end(body, "latin1");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());

async function ask(path: string, request: (path: string) => string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1"); // It listens on a port.
  socket.setEncoding("latin1");
  socket.write(request(path));
  return (await text(socket)).replaceAll(/Date: [^\r]+/g, "Date: now");
}

describe("a head that is put together by us", () => {
  test.each([
    ["of one request", (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
    ["of an old client", (path: string) => `GET ${path} HTTP/1.0\r\n\r\n`],
    [
      "of an old client that keeps its connection, and then does not",
      (path: string) => `GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET ${path} HTTP/1.0\r\n\r\n`,
    ],
    [
      "of several requests at once",
      (path: string) =>
        `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3) +
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    ],
    ["of HEAD", (path: string) => `HEAD ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
    [
      "of one who waits to be told to go on",
      (path: string) =>
        `GET ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`,
    ],
  ])("is Node's own: %s", async (_, request) => {
    const nodes = await ask("/node", request);
    expect(nodes).toContain("HTTP/1.1 200 OK");
    const ours = await ask("/ours", request);
    // Where Node writes all of it, the length stands where we have it.
    expect(ours.split("\r\n").sort()).toEqual(nodes.split("\r\n").sort());
    for (let turn = 0; turn < 2; turn++) expect(await ask("/kept", request)).toBe(ours);
  });

  test("refuses what would end a header and begin another", () => {
    expect(() => toHeaderBlock(["x", "a\r\nset-cookie: b"])).toThrow("control characters");
    expect(() => toHeaderBlock(["x", "a\u010ab"])).toThrow("control characters");
    expect(() => toHeaderBlock(["x y", "a"])).toThrow("no name of a header");
  });

  test("leaves what concerns the connection to Node", () => {
    expect(toHeaderBlock(["x", "a", "connection", "close"]).lines).toBeUndefined();
    expect(more.lines).toBe("x-content-type-options: nosniff\r\nvary: origin\r\n");
  });
});
