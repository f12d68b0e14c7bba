/** A publisher's site on this machine: pages and files with validators, and whatever goes wrong at such sites. */
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Partner, type SeenRequest, startPartner } from "../partner-server.ts";

/** What a path answers with. */
export type Served = Readonly<{
  body: string | Uint8Array;
  headers?: Readonly<Record<string, string>>;
  status?: number;
  /** Which validators it has, and heeds. Default none. */
  validators?: "etag" | "last-modified" | "both";
  /** Last change, for `last-modified`. */
  changedAt?: Date;
}>;

export type Answer = Served | ((request: SeenRequest, response: ServerResponse) => unknown);

/** A site whose paths may be changed while it runs. */
export type Publisher = AsyncDisposable &
  Readonly<{
    origin: string;
    requests: SeenRequest[];
    /** By path and query, else by path. */
    site: Map<string, Answer>;
    /** Paths asked for since the last call, in order. */
    asked: () => readonly string[];
  }>;

export async function startPublisher(site: Readonly<Record<string, Answer>> = {}): Promise<Publisher> {
  const served = new Map(Object.entries(site));
  const partner: Partner = await startPartner((request, response) => {
    const answer = served.get(request.url) ?? served.get(request.path);
    if (typeof answer === "function") return answer(request, response);
    if (answer === undefined)
      return answerWith(request, response, { status: 404, body: "<html>not here</html>" });
    return answerWith(request, response, answer);
  });
  let told = 0;
  return {
    origin: partner.origin,
    requests: partner.requests,
    site: served,
    asked: () => {
      const since = partner.requests.slice(told).map((request) => request.url);
      told = partner.requests.length;
      return since;
    },
    [Symbol.asyncDispose]: () => partner[Symbol.asyncDispose](),
  };
}

/** Answers as a web server does, also that nothing has changed. */
export function answerWith(request: SeenRequest, response: ServerResponse, served: Served): void {
  const body = Buffer.from(served.body);
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
  const changed = (served.changedAt ?? new Date("2024-01-02T03:04:05Z")).toUTCString();
  const headers: Record<string, string> = { "content-length": String(body.length), ...served.headers };
  let isSame = false;
  if (served.validators === "etag" || served.validators === "both") {
    headers["etag"] = etag;
    isSame = request.headers["if-none-match"] === etag;
  }
  if (served.validators === "last-modified" || served.validators === "both") {
    headers["last-modified"] = changed;
    if (request.headers["if-none-match"] === undefined)
      isSame ||= request.headers["if-modified-since"] === changed;
  }
  if (isSame) {
    delete headers["content-length"];
    response.writeHead(304, headers).end();
  } else {
    response.writeHead(served.status ?? 200, headers).end(body);
  }
}

/** A page of links. */
export const pageOf = (...links: readonly string[]): Served => ({
  body: `<!DOCTYPE html><html><head><title>Deaths</title></head><body>${links.join("\n")}</body></html>`,
  headers: { "content-type": "text/html; charset=utf-8" },
});

/** Links to files by their addresses. */
export const linksTo = (...addresses: readonly string[]): Served =>
  pageOf(...addresses.map((address) => `<a href="${address}">${address}</a>`));

/** Bytes that begin as an .xls file does. */
export const xls = (text: string): Buffer =>
  Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.from(text.padEnd(600, "."))]);

/** Bytes of a zip archive with one stored member, as .xlsx files are (without checksums: nobody unpacks it here). */
export function zip(text: string): Buffer {
  const name = Buffer.from("a");
  const content = Buffer.from(text);
  const local = Buffer.alloc(30);
  local.write("PK\x03\x04", 0, "latin1");
  local.writeUInt32LE(content.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.write("PK\x01\x02", 0, "latin1");
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + content.length, 16);
  return Buffer.concat([local, name, content, central, name, end]);
}
