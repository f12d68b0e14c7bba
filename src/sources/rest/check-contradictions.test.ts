import { describe, expect, test } from "vitest";
import { isLeatError } from "../../errors/leat-error.ts";
import { rest } from "./rest.ts";
import type { RestDeclaration } from "./rest-declaration.ts";

const good = { path: "/x", pagination: { type: "single" } } as const;
const window = { start: { param: "from" }, end: { param: "to" } } as const;

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

const faultsOfStream = (stream: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(faultsOf({ name: "api", baseUrl: "https://a.example", streams: { x: stream } })).map(
      ([path, problem]) => [path.replace("streams.x.", ""), problem],
    ),
  );

describe("contradictions are faults", () => {
  test.each<[string, unknown, string, string]>([
    ["no pagination", { path: "/x" }, "pagination.type", "say how pages follow"],
    [
      "windows without an end",
      { ...good, cursor: { field: "u", initial: "2024-01-01", spanMax: "24h", start: { param: "a" } } },
      "cursor.spanMax",
      "needs `end`",
    ],
    [
      "windows without a beginning",
      { ...good, cursor: { field: "u", spanMax: "24h", ...window } },
      "cursor.spanMax",
      "needs `initial`",
    ],
    [
      "an end without a start",
      { ...good, cursor: { field: "u", end: { param: "to" } } },
      "cursor.end",
      "needs `start`",
    ],
    [
      "a start that is not sent",
      { ...good, cursor: { field: "u", start: {} } },
      "cursor.start",
      "would not be sent",
    ],
    [
      "a start that is sent twice",
      { ...good, params: { since: "{cursor.start}" }, cursor: { field: "u", start: { param: "from" } } },
      "cursor.start",
      "sent twice",
    ],
    [
      "a cursor in a template without a cursor",
      { ...good, params: { since: "{cursor.start}" } },
      "params.since",
      "needs `cursor.start`",
    ],
    [
      "an integer sent as a time",
      { ...good, cursor: { field: "u", format: "integer", start: { param: "a", format: "iso-s" } } },
      "cursor.start.format",
      "cannot express",
    ],
    [
      "a span shorter than a step",
      {
        ...good,
        cursor: {
          field: "u",
          initial: "2024-01-01",
          spanMax: "1h",
          start: { param: "a", format: "date", inclusive: true },
          end: { param: "b" },
        },
      },
      "cursor.spanMax",
      "shorter than one step",
    ],
    [
      "a span of one step from an exclusive start",
      {
        ...good,
        cursor: {
          field: "u",
          initial: "2024-01-01",
          spanMax: "24h",
          start: { param: "a", format: "date" },
          end: { param: "b" },
        },
      },
      "cursor.spanMax",
      "shorter than two steps",
    ],
    [
      "a beginning below the minimum",
      { ...good, cursor: { field: "u", initial: "2024-01-01", minimum: "2025-01-01" } },
      "cursor.initial",
      "below",
    ],
    [
      "a beginning that is no time",
      { ...good, cursor: { field: "u", initial: "yesterday" } },
      "cursor.initial",
      "not a value",
    ],
    [
      "overlap without a sort",
      { ...good, primaryKey: "id", stability: "overlap", pagination: { type: "offset", param: "o" } },
      "stability",
      "needs a `sort`",
    ],
    [
      "overlap without offsets",
      { ...good, primaryKey: "id", stability: "overlap", sort: { param: "s", value: "id" } },
      "stability",
      "needs offset",
    ],
    [
      "overlap without a key",
      {
        ...good,
        stability: "overlap",
        sort: { param: "s", value: "id" },
        pagination: { type: "offset", param: "o" },
      },
      "stability",
      "needs a primaryKey",
    ],
    [
      "settled without an end",
      {
        ...good,
        stability: "settled",
        records: "d",
        pagination: { type: "offset", param: "o", totalPath: "t" },
      },
      "stability",
      "needs `cursor.end`",
    ],
    [
      "settled without a total",
      {
        ...good,
        stability: "settled",
        cursor: { field: "u", ...window },
        pagination: { type: "offset", param: "o" },
      },
      "stability",
      "needs a total",
    ],
    [
      "concurrency over tokens",
      { ...good, concurrency: 2, records: "d", pagination: { type: "cursorToken", path: "n", param: "c" } },
      "concurrency",
      "needs numbered pages",
    ],
    [
      "a total beside a root array",
      { ...good, pagination: { type: "offset", param: "o", totalPath: "t" } },
      "pagination.totalPath",
      "nothing beside them",
    ],
    [
      "a token beside JSON Lines",
      { ...good, records: "lines", pagination: { type: "nextUrl", path: "n" } },
      "pagination.path",
      "nothing beside them",
    ],
    [
      "a token from two places",
      { ...good, records: "d", pagination: { type: "cursorToken", path: "a", header: "b", param: "c" } },
      "pagination",
      "either",
    ],
    [
      "short pages of unknown size",
      { ...good, pagination: { type: "offset", param: "o", endsWhenShort: true } },
      "pagination.endsWhenShort",
      "needs the size",
    ],
    [
      "a size parameter without a size",
      { ...good, pagination: { type: "offset", param: "o", limitParam: "l" } },
      "pagination.limitParam",
      "needs `limit`",
    ],
    [
      "a page in a template of offsets",
      { ...good, params: { p: "{page}" }, pagination: { type: "offset", param: "o" } },
      "params.p",
      "is not a value of",
    ],
    ["a partition that there is not", { ...good, path: "/x/{partition}" }, "path", "needs `partitions`"],
    [
      "partitions that are not sent",
      { ...good, partitions: { perTenant: "licenses" } },
      "partitions",
      "every request would be the same",
    ],
    [
      "partitions and a parent",
      { ...good, path: "/{partition}", partitions: { perTenant: "l" }, parent: { stream: "x", field: "id" } },
      "parent",
      "not both",
    ],
    [
      "a parent that is not there",
      { ...good, path: "/{partition}", parent: { stream: "xs", field: "id" } },
      "parent.stream",
      'did you mean "x"',
    ],
    [
      "a parent that is itself",
      { ...good, path: "/{partition}", parent: { stream: "x", field: "id" } },
      "parent.stream",
      "x → x",
    ],
    ["merge without a key", { ...good, writeDisposition: "merge" }, "writeDisposition", "needs a primaryKey"],
    ["current by a cursor that is not", { ...good, currentBy: "cursor" }, "currentBy", "needs a cursor"],
    ["trust in an order nobody asks for", { ...good, trustOrder: true }, "trustOrder", "needs a sort"],
    [
      "a sort by a cursor that is not",
      { ...good, sort: { param: "s", value: "v", by: "cursor" } },
      "sort.by",
      "needs a cursor",
    ],
    ["a body of a GET", { ...good, body: { json: {} } }, "body", 'needs method "POST"'],
    [
      "a token in the body of a GET",
      { ...good, records: "d", pagination: { type: "cursorToken", path: "n", param: "c", in: "body" } },
      "pagination",
      "is to go into a body",
    ],
    [
      "a parameter written twice",
      { ...good, params: { page: 1 }, pagination: { type: "pageNumber", param: "page" } },
      "pagination",
      "also written in the request",
    ],
    [
      "one parameter for two things",
      { ...good, sort: { param: "p", value: "v" }, pagination: { type: "pageNumber", param: "p" } },
      "pagination",
      "also the parameter of",
    ],
    ["a path elsewhere", { ...good, path: "https://b.example/x" }, "path", "leaves the base"],
    ["a path to another host", { ...good, path: "//b.example/x" }, "path", "leaves the base"],
    ["a path upwards", { ...good, path: "/a/%2e%2e/b" }, "path", "may leave the base"],
    ["a query in the path", { ...good, path: "/x?state=all" }, "path", "write it in `params`"],
    ["a secret in the path", { ...good, path: "/bot{env:TOKEN}/x" }, "path", "shown in messages"],
    ["an unknown placeholder", { ...good, params: { a: "{tennant.x}" } }, "params.a", "is not known"],
    ["a nested field of deletion", { ...good, deletedField: "a.b" }, "deletedField", "top-level"],
    ["a type that is not", { ...good, columns: { a: "decimal(40,2)" } }, "columns.a", "is not a type"],
    ["records nobody can read", { ...good, records: "a[0]" }, "records", "cannot be read at position"],
    [
      "two ways to fail",
      { ...good, failedWhen: { path: "ok", equals: false, exists: true } },
      "failedWhen",
      "exactly one",
    ],
    ["a bound that is none", { ...good, bounds: { passesMax: 1 } }, "bounds.passesMax", "at least 2"],
  ])("%s", (_, stream, path, problem) => {
    expect(faultsOfStream(stream)).toMatchObject({ [path]: expect.stringContaining(problem) });
  });

  test("parents that go round", () => {
    const child = (stream: string) => ({ ...good, path: "/{partition}", parent: { stream, field: "id" } });
    const streams = { a: child("b"), b: child("c"), c: child("b") };
    expect(faultsOf({ name: "api", baseUrl: "https://a.example", streams })).toEqual({
      "streams.b.parent.stream": "goes round: b → c → b",
      "streams.c.parent.stream": "goes round: c → b → c",
    });
  });

  test("two streams with one table", () => {
    const streams = { a: good, b: { ...good, landingTable: "API_A" } };
    expect(Object.keys(faultsOf({ name: "api", baseUrl: "https://a.example", streams }))).toEqual([
      "streams.b.landingTable",
    ]);
  });

  test.each([
    ["https://user:pass@a.example", "credential"],
    ["https://a.example/?x=1", "query"],
    ["a.example", "not an http(s) address"],
    ["https://{env:HOST}", "cannot be part"],
    ["https://{partition}.example", "changes with each request"],
  ])("a base URL of %s", (baseUrl, problem) => {
    expect(faultsOf({ name: "api", baseUrl, streams: { x: good } })["baseUrl"]).toContain(problem);
  });
});
