/** Jira's recorded answers, read by offset: at once, overlapping, and in windows. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isJsonObject, type JsonValue } from "../../src/model/json-value.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import { readStream } from "./drive-reader.ts";
import { answerJson, startPartner } from "./partner-server.ts";

function readFixture<Shape>(path: string): Shape {
  const url = new URL(`../fixtures/api-payloads/${path}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as Shape; // Fixtures have the shapes that the tests name.
}

const jiraStream = (maxResults: number) =>
  ({
    path: "/rest/agile/1.0/board/1/issue",
    records: "issues",
    primaryKey: "id",
    sort: { param: "jql", value: "ORDER BY created ASC, id ASC", by: "key" },
    pagination: {
      type: "offset",
      param: "startAt",
      limitParam: "maxResults",
      limit: maxResults,
      totalPath: "total",
    },
  }) as const;

test.each([
  ["board_1_issues.json", 9],
  ["sprint_1_issues.json", 1],
  ["empty_issues.json", 0],
])("Jira: %s ends with its total after one request, %i issues", async (file, count) => {
  const body = readFixture<JsonValue>(`jira/${file}`);
  await using partner = await startPartner((_, response) => answerJson(response, body));
  const source = rest({ name: "jira", baseUrl: partner.origin, streams: { issues: jiraStream(1000) } });
  expect((await readStream(source, "issues")).records).toHaveLength(count);
  expect(partner.requests.map((request) => request.query.get("startAt"))).toEqual(["0"]);
});

test("Jira: nine issues in pages of four that overlap by one, in the order asked for", async () => {
  const whole = readFixture<{ issues: { id: string }[] }>("jira/board_1_issues.json");
  await using partner = await startPartner((request, response) => {
    const startAt = Number(request.query.get("startAt"));
    const maxResults = Number(request.query.get("maxResults"));
    answerJson(response, {
      startAt,
      maxResults,
      total: 9,
      issues: whole.issues.slice(startAt, startAt + maxResults),
    });
  });
  const source = rest({ name: "jira", baseUrl: partner.origin, streams: { issues: jiraStream(4) } });
  expect(source.streams[0]?.stability).toBe("overlap");
  const read = await readStream(source, "issues");
  expect(partner.requests.map((request) => request.query.get("startAt"))).toEqual(["0", "3", "6"]);
  expect(read.pages.map((page) => page.page.overlap)).toEqual([0, 1, 1]);
  expect(new Set(read.records.map(readId))).toEqual(new Set(whole.issues.map((issue) => issue.id)));
});

test("Jira: with a window that has an end, pages are settled and do not overlap", async () => {
  const whole = readFixture<{ issues: JsonValue[] }>("jira/board_1_issues.json");
  await using partner = await startPartner((request, response) => {
    const startAt = Number(request.query.get("startAt"));
    answerJson(response, { startAt, total: 9, issues: whole.issues.slice(startAt, startAt + 4) });
  });
  const { sort: _, ...stream } = jiraStream(4);
  const bound = { in: "query", format: "date" } as const;
  const cursor = { field: "updated", start: { param: "from", ...bound }, end: { param: "to", ...bound } };
  const source = rest({ name: "jira", baseUrl: partner.origin, streams: { issues: { ...stream, cursor } } });
  expect(source.streams[0]?.stability).toBe("settled");
  const read = await readStream(source, "issues", { range: { start: 0n, end: 86_400_000_000n } });
  expect(read.records).toEqual(whole.issues);
  expect(partner.requests.map((request) => request.url)).toEqual(
    ["0", "4", "8"].map(
      (at) => `/rest/agile/1.0/board/1/issue?from=1970-01-01&to=1970-01-02&startAt=${at}&maxResults=4`,
    ),
  );
});

function readId(record: JsonValue): JsonValue | undefined {
  return isJsonObject(record) ? record["id"] : undefined;
}
