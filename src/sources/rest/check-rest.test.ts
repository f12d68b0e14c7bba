import { expect, test } from "vitest";
import { isLeatError } from "../../errors/leat-error.ts";
import { rest } from "./rest.ts";
import type { RestDeclaration } from "./rest-declaration.ts";

const good = { path: "/x", pagination: { type: "single" } } as const;

/** Faults of a declaration that TypeScript would refuse, as a JavaScript user meets them. */
function faultsOf(declaration: unknown): Record<string, string> {
  try {
    rest(declaration as RestDeclaration);
  } catch (error) {
    if (!isLeatError(error) || error.code !== "CONFIG_INVALID") throw error;
    const faults = error.details["faults"] as { path: string; problem: string }[]; // As `refuseFaults` makes them.
    return Object.fromEntries(faults.map((fault) => [fault.path, fault.problem]));
  }
  return {};
}

test("all faults are told together, each with its path", () => {
  const faults = faultsOf({
    name: "my api",
    baseUrl: "ftp://a.example",
    auth: { type: "bassic" },
    rateLimits: {},
    rateLimit: { requests: 5 },
    timeouts: { connect: "soon" },
    streams: {
      a: { path: "/a", pagination: { type: "pageNumbr" }, writeDisposition: "upsert", primarykey: "id" },
      b: {
        path: 3,
        pagination: { type: "cursorToken", path: "n" },
        cursor: { field: "u", lag: "x", zone: "Mars" },
      },
    },
  });
  expect(faults).toEqual({
    name: expect.stringContaining('"my api" cannot be a name'),
    baseUrl: expect.stringContaining("is not an http(s) address"),
    "auth.type": '"bassic" is not known; did you mean "basic"?',
    rateLimits: '"rateLimits" is not known; did you mean "rateLimit"?',
    rateLimit: expect.stringContaining("declared together"),
    "timeouts.connect": expect.stringContaining('"soon" is not a span'),
    "streams.a.pagination.type": '"pageNumbr" is not known; did you mean "pageNumber"?',
    "streams.a.writeDisposition": '"upsert" is not known; use append, merge or replace',
    "streams.a.primarykey": '"primarykey" is not known; did you mean "primaryKey"?',
    "streams.b.path": "write the path behind the base URL",
    "streams.b.pagination.path": expect.stringContaining("nothing beside them"),
    "streams.b.pagination": expect.stringContaining("every page would be the first"),
    "streams.b.cursor.lag": expect.stringContaining('"x" cannot be read'),
    "streams.b.cursor.zone": '"Mars" is not an IANA zone',
  });
});

test("a fault shows in the message with its path", () => {
  expect(() => rest({ name: "api", baseUrl: "https://a.example", streams: {} })).toThrow(
    /The source "api" has 1 fault:\n {2}streams: name at least one stream/,
  );
});

test("a stream that says little gets every default", () => {
  const source = rest({ name: "api", baseUrl: "https://a.example", streams: { orders: good } });
  expect(source.streams).toEqual([
    {
      source: "api",
      name: "orders",
      primaryKey: [],
      cursor: undefined,
      writeDisposition: "append",
      contract: "evolve",
      columns: {},
      volatileFields: [],
      isSorted: false,
      trustOrder: false,
      stability: "trusted",
      currentBy: "arrival",
      deletedField: undefined,
      isMaterialized: false,
      landingTable: "api_orders",
      partitions: undefined,
      bounds: {
        pagesMax: 100_000,
        passesMax: 5,
        windowsMax: 10_000,
        quarantineShareMax: 0.01,
        checkpointBytes: 67_108_864,
        runMsMax: 21_600_000,
        shrinkShareMin: 0.5,
        clockToleranceMs: 300_000,
      },
    },
  ]);
  expect(Object.isFrozen(source) && Object.isFrozen(source.streams[0]?.bounds)).toBe(true);
});

test("a stream that says much has it in the model's units", () => {
  const source = rest({
    name: "api",
    baseUrl: "https://a.example",
    clockToleranceMs: 1000,
    streams: {
      orders: {
        path: "/orders",
        primaryKey: ["id", "line.no"],
        columns: { price: "decimal(18,2)", at: "timestamptz" },
        cursor: {
          field: "updated",
          zone: "Europe/Berlin",
          initial: "2024-01-01",
          lag: "1h30m",
          start: { param: "since" },
        },
        sort: { param: "sort", value: "updated:asc" },
        trustOrder: true,
        bounds: { pagesMax: 10 },
        pagination: { type: "offset", param: "offset" },
      },
      lines: {
        path: "/orders/{partition}/lines",
        parent: { stream: "orders", field: "id" },
        pagination: { type: "pageNumber", param: "page" },
      },
      changes: {
        path: "/changes",
        cursor: { field: "no", format: "integer", lag: 5 },
        pagination: { type: "linkHeader" },
      },
    },
  });
  const [orders, lines, changes] = source.streams;
  expect(orders).toMatchObject({
    primaryKey: ["id", "line.no"],
    writeDisposition: "merge",
    columns: { price: { type: "decimal", precision: 18, scale: 2 }, at: { type: "timestamptz" } },
    isSorted: true,
    stability: "overlap",
    currentBy: "cursor",
    bounds: { pagesMax: 10, clockToleranceMs: 1000 },
    cursor: {
      initial: 1_704_063_600_000_000n,
      lag: 5_400_000_000n,
      minimum: 86_400_000_000n,
      range: { startFormat: "iso-s", isStartInclusive: false, hasEnd: false, spanMax: undefined },
    },
  });
  expect(lines).toMatchObject({
    stability: "passes",
    partitions: { from: "stream", stream: "orders", field: "id", when: "always", column: "_leat_partition" },
  });
  expect(changes?.cursor).toMatchObject({ lag: 5n, minimum: 0n, range: undefined });
});

test("an unknown stream is told with the known ones", async () => {
  const source = rest({ name: "api", baseUrl: "https://a.example", streams: { orders: good } });
  await expect(source.open("order", {} as never, {} as never)).rejects.toMatchObject({
    code: "STREAM_UNKNOWN",
    hint: expect.stringContaining("orders"),
  });
});
