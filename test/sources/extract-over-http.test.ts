/** Sources under the real extract stage: what is asked for, landed, and asked for the second time. */
import { expect, test } from "vitest";
import { extractStream } from "../../src/extract/extract-stream.ts";
import type { Source, Tenant } from "../../src/ports/source.ts";
import { openScanner } from "../../src/scan/open-scanner.ts";
import { defineSource } from "../../src/sources/generator/define-source.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";
import { answerJson, startPartner } from "./partner-server.ts";
import { realClock, testTenant, testWorld } from "./test-world.ts";

/** A landing that streams are extracted into, one run after the other. */
function openLanding() {
  const store = createMemoryStore();
  const world = testWorld({ clock: realClock });
  const ports = { store, clock: realClock, random: world.random, progress: world.progress, openScanner };
  return {
    extract: async (source: Source, stream: string, tenant: Tenant = testTenant()) => {
      const spec = source.streams.find((each) => each.name === stream)!; // Named by the test that declares it.
      const reader = await source.open(stream, tenant, world);
      try {
        return await extractStream(
          ports,
          {
            spec,
            tenant,
            reader,
            mode: { kind: "incremental" },
            tenantColumn: "tenant_id",
            compression: "none",
            idempotencyKey: undefined,
            softDeadlineMs: undefined,
          },
          new AbortController().signal,
        );
      } finally {
        await reader.close();
      }
    },
    landedIds: async () => {
      const ids: number[] = [];
      for await (const { key } of store.list("landing/")) {
        const text = Buffer.from((await store.read(key)) ?? []).toString("utf8");
        for (const line of text.split("\n").filter(Boolean))
          ids.push((JSON.parse(line) as { id: number }).id);
      }
      return ids;
    },
  };
}

const items = (from: number, count: number, at: string) =>
  Array.from({ length: count }, (_, index) => ({ id: from + index, at }));

test("windows of a day are asked for one after the other, and the second run begins where the first ended", async () => {
  const startMs = Date.now() - 60 * 3_600_000;
  const dayMs = 86_400_000;
  await using partner = await startPartner((request, response) => {
    const from = Date.parse(request.query.get("from") ?? "");
    answerJson(response, items(Math.round((from - startMs) / 1000), 1, new Date(from + 1000).toISOString()));
  });
  const source = rest({
    name: "api",
    baseUrl: partner.origin,
    streams: {
      items: {
        path: "/items",
        primaryKey: "id",
        cursor: {
          field: "at",
          initial: new Date(startMs).toISOString(),
          spanMax: "24h",
          start: { param: "from", inclusive: true },
          end: { param: "to" },
        },
        pagination: { type: "single" },
      },
    },
  });
  const landing = openLanding();
  const first = await landing.extract(source, "items");
  expect(first.counts.landed).toBe(3);
  const spans = partner.requests.map(
    ({ query }) => Date.parse(query.get("to")!) - Date.parse(query.get("from")!),
  );
  expect(spans.slice(0, 2)).toEqual([dayMs, dayMs]);
  expect(spans[2]).toBeLessThan(dayMs);
  const second = await landing.extract(source, "items");
  expect(partner.requests).toHaveLength(4);
  // One lag of a minute before the time of the first run.
  expect(Date.now() - Date.parse(partner.requests[3]!.query.get("from")!)).toBeLessThan(90_000);
  expect(second.before.next).toBe(first.after.next);
});

test("I16 records deleted between overlapping pages cost requests and lose nothing", async () => {
  const before = items(1, 40, "2024-01-01T00:00:00Z");
  await using partner = await startPartner((request, response, count) => {
    const now = count <= 3 ? before : before.slice(5);
    const offset = Number(request.query.get("offset"));
    answerJson(response, { data: now.slice(offset, offset + 10) });
  });
  const source = rest({
    name: "api",
    baseUrl: partner.origin,
    streams: {
      items: {
        path: "/items",
        records: "data",
        primaryKey: "id",
        sort: { param: "sort", value: "id" },
        pagination: { type: "offset", param: "offset", limitParam: "limit", limit: 10 },
        cursor: { field: "at" },
      },
    },
  });
  const landing = openLanding();
  const { counts } = await landing.extract(source, "items");
  expect((await landing.landedIds()).sort((a, b) => a - b)).toEqual(before.map((item) => item.id));
  expect(counts.received).toBe(counts.landed + counts.repeated);
  expect(counts.repeated).toBeGreaterThan(0);
});

test("I5 pages of a generator land once, however often they are yielded", async () => {
  const source = defineSource({
    name: "own",
    streams: {
      items: {
        primaryKey: "id",
        pages: async function* () {
          yield items(1, 3, "2024-01-01T00:00:00Z");
          yield JSON.stringify(items(4, 2, "2024-01-01T00:00:00Z"));
        },
        cursor: { field: "at" },
      },
    },
  });
  const landing = openLanding();
  expect((await landing.extract(source, "items")).counts.landed).toBe(5);
  const again = await landing.extract(source, "items");
  expect([again.counts.landed, again.counts.boundarySkipped]).toEqual([0, 5]);
  expect(await landing.landedIds()).toEqual([1, 2, 3, 4, 5]);
});
