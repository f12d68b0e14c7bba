/**
 * A partner for benchmarks, in a process of its own: `node bench/record-server.ts RECORDS [gzip]`. Pages of 1,000 records of
 * some 600 bytes at `data.items`, made before the first request, so that serving costs as little as can be.
 *
 * `GET /page?page=N[&gzip]` one page with `meta.next`; `GET /all?bytes=N` one answer of at least N bytes.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export const recordsPerPage = 1000;

/** One record; ids and times grow together, `n` at most 10^9. */
function record(n: number): string {
  const id = 1_000_000_000 + n;
  return JSON.stringify({
    id,
    updated_at: new Date(1_700_000_000_000 + n * 1000).toISOString(),
    name: `Zoë ${id} "quoted" and a \\ backslash`,
    state: n % 3 === 0 ? "open" : "closed",
    amount: 12.5 + (n % 1000),
    quantity: n % 97,
    is_active: n % 2 === 0,
    deleted_at: null,
    email: `customer-${id}@example.org`,
    address: { street: `${n % 500} High Street`, city: "Stockport", postcode: "SK1 3XE", geo: [53.4, -2.16] },
    tags: ["alpha", "beta", `tag-${n % 50}`],
    note: "The quick brown fox jumps over the lazy dog, again and again, until the page is as long as such pages are.",
    reference: `9007199254740993-${id}`,
    padding: "x".repeat(60),
  });
}

const page = (first: number, count: number, next: number | null): Buffer => {
  const items = Array.from({ length: count }, (_, i) => record(first + i));
  return Buffer.from(
    `{"data":{"items":[${items.join(",")}]},"meta":{"next":${next === null ? null : `"${next}"`}}}`,
  );
};

if (import.meta.main) {
  const records = Number(process.argv[2]);
  const isPackedToo = process.argv[3] === "gzip";
  const pageCount = Math.ceil(records / recordsPerPage);
  const pages = Array.from({ length: pageCount }, (_, i) =>
    page(
      i * recordsPerPage,
      Math.min(recordsPerPage, records - i * recordsPerPage),
      i + 1 < pageCount ? i + 1 : null,
    ),
  );
  const packed = isPackedToo ? pages.map((body) => gzipSync(body, { level: 1 })) : [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://bench");
    if (url.pathname === "/all") {
      void sendAll(Number(url.searchParams.get("bytes")));
      return;
    }
    const index = Number(url.searchParams.get("page") ?? 0);
    const isPacked = url.searchParams.has("gzip");
    const body = isPacked ? packed[index] : pages[index];
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": body.length,
      ...(isPacked ? { "content-encoding": "gzip" } : {}),
    });
    response.end(body);

    async function sendAll(bytes: number): Promise<void> {
      const items = pages[0]!.subarray('{"data":{"items":['.length, pages[0]!.lastIndexOf("]}"));
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"data":{"items":[');
      for (let sent = 0; sent < bytes; sent += items.length + 1) {
        const chunk = sent === 0 ? items : Buffer.concat([Buffer.from(","), items]);
        if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
      }
      response.end("]}}");
    }
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    console.log(`http://127.0.0.1:${port}`);
  });
  process.stdin.resume().on("end", () => process.exit(0));
}
