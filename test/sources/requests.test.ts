/** How a declaration becomes a request: templates, bodies, formats of ranges, paths. */
import { expect, test } from "vitest";
import { rest } from "../../src/sources/rest/rest.ts";
import type { RestStreamDeclaration } from "../../src/sources/rest/rest-declaration.ts";
import { readStream } from "./drive-reader.ts";
import { answerJson, type Partner, startPartner } from "./partner-server.ts";
import { testTenant } from "./test-world.ts";

type Declared = Partial<RestStreamDeclaration> & Pick<RestStreamDeclaration, "pagination">;

const declare = (partner: Partner, stream: Declared) =>
  rest({
    name: "api",
    baseUrl: partner.origin,
    streams: { items: { path: "/items", primaryKey: "id", ...stream } },
  });

test("a token may come in a header and go into a JSON body, deep", async () => {
  await using partner = await startPartner((request, response) => {
    const { variables } = JSON.parse(request.body) as { variables: { after?: string } };
    answerJson(response, [{ id: 1 }], { headers: variables.after === undefined ? { "x-next": "t2" } : {} });
  });
  const stream: Declared = {
    method: "POST",
    body: { json: { query: "{ orders { id } }", variables: { first: 50 } } },
    pagination: { type: "cursorToken", header: "X-Next", param: "variables.after" },
  };
  await readStream(declare(partner, stream), "items");
  expect(partner.requests.map((request) => JSON.parse(request.body))).toEqual([
    { query: "{ orders { id } }", variables: { first: 50 } },
    { query: "{ orders { id } }", variables: { first: 50, after: "t2" } },
  ]);
});

test("a JSON body is filled in: numbers stay numbers, what is not there is left out", async () => {
  await using partner = await startPartner((_, response) => answerJson(response, { data: [], total: 0 }));
  const stream: Declared = {
    method: "POST",
    body: {
      json: {
        filter: { since: "{cursor.start}", label: "of {tenant.name}" },
        from: "{offset}",
        next: "{{x}}",
      },
    },
    records: "data",
    cursor: { field: "at", format: "epoch-ms", start: {} },
    pagination: { type: "offset", totalPath: "total" },
  };
  const source = declare(partner, stream);
  const tenant = testTenant({ name: "Anna" });
  await readStream(source, "items", { tenant });
  await readStream(source, "items", { tenant, range: { start: 1_700_000_000_123_000n } });
  expect(partner.requests.map((request) => JSON.parse(request.body))).toEqual([
    { filter: { label: "of Anna" }, from: 0, next: "{x}" },
    { filter: { since: 1_700_000_000_123, label: "of Anna" }, from: 0, next: "{x}" },
  ]);
});

test("a range is written in the declared formats, and left out where it has no start yet", async () => {
  await using partner = await startPartner((_, response) => answerJson(response, []));
  const cursor = {
    field: "updated",
    zone: "America/Denver",
    start: { param: "from", format: "date" },
    end: { param: "to", format: "epoch-s" },
  } as const;
  const source = declare(partner, {
    cursor,
    sort: { param: "sort", value: "updated:asc" },
    pagination: { type: "single" },
  });
  await readStream(source, "items");
  await readStream(source, "items", {
    range: { start: 1_704_092_400_000_000n, end: 1_704_178_800_000_000n },
  });
  expect(partner.requests.map((request) => request.url)).toEqual([
    "/items?sort=updated%3Aasc",
    "/items?from=2024-01-01&to=1704178800&sort=updated%3Aasc",
  ]);
});

test("values of a path are percent-encoded and cannot leave it", async () => {
  await using partner = await startPartner((_, response) => answerJson(response, []));
  const source = declare(partner, {
    path: "/orders/{partition}/items",
    partitions: { perTenant: "orders" },
    pagination: { type: "single" },
  });
  await readStream(source, "items", { range: { partition: "a/b?c#d é" } });
  expect(partner.requests.map((request) => request.url)).toEqual(["/orders/a%2Fb%3Fc%23d%20%C3%A9/items"]);
  await expect(readStream(source, "items", { range: { partition: ".." } })).rejects.toMatchObject({
    code: "SOURCE_FAILED",
    retryable: false,
  });
  expect(partner.requests).toHaveLength(1);
});
