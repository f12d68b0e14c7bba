/** Metrc's plants: Basic auth, windows of a day, pages of at most 20, bare arrays and envelopes, a server a state. */
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { type CursorValue, parseCursor } from "../../src/model/cursor.ts";
import { type JsonValue, readJsonPath } from "../../src/model/json-value.ts";
import type { Source } from "../../src/ports/source.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import { readStream } from "./drive-reader.ts";
import { answerJson, type Partner, type SeenRequest, startPartner } from "./partner-server.ts";
import { testTenant, testWorld } from "./test-world.ts";

type Documented = Readonly<{ server: string; request: string; response: JsonValue }>;
type Plant = { Label: string; LastModified: string };

const states = ["ca", "co", "ok"] as const;
const kinds = ["v1_vegetative", "v2_vegetative", "v2_flowering", "v2_inactive"] as const;

function readDocumented(state: string, kind: string): Documented {
  const url = new URL(`../fixtures/metrc-plants/${state}/get_plants_${kind}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as Documented; // The README says what each file has.
}

/** The source as a project declares it; `/{tenant.state}` stands for the state's own server. */
function declareMetrc(partner: Partner): Source {
  const asArray = {
    params: { licenseNumber: "{partition}" },
    partitions: { perTenant: "licenses", column: "license_number" },
    primaryKey: "Label",
    cursor: {
      field: "LastModified",
      initial: "2018-01-17T06:30:00Z",
      spanMax: "24h",
      start: { param: "lastModifiedStart", inclusive: true },
      end: { param: "lastModifiedEnd" },
    },
    pagination: { type: "single" },
  } as const;
  const asPages = {
    ...asArray,
    records: "Data",
    pagination: {
      type: "pageNumber",
      param: "pageNumber",
      sizeParam: "pageSize",
      size: 20,
      totalPath: "TotalRecords",
      totalPagesPath: "TotalPages",
    },
  } as const;
  return rest({
    name: "metrc",
    baseUrl: `${partner.origin}/{tenant.state}`,
    auth: { type: "basic", username: "env:METRC_VENDOR_KEY", password: "{tenant.userKey}" },
    streams: {
      v1_vegetative: { ...asArray, path: "/plants/v1/vegetative" },
      v2_vegetative: { ...asPages, path: "/plants/v2/vegetative" },
      v2_flowering: { ...asPages, path: "/plants/v2/flowering" },
      v2_inactive: { ...asPages, path: "/plants/v2/inactive" },
    },
  });
}

const secrets = { "env:METRC_VENDOR_KEY": "vendor-key", "env:METRC_414": "user-key" };
const range = {
  start: toCursor("2018-01-17T06:30:00Z"),
  end: toCursor("2018-01-17T17:30:00Z"),
  partition: "123-ABC",
};

test.each(
  states.flatMap((state) => kinds.map((kind) => [state, kind] as const)),
)("%s %s gives the documented rows for the documented request", async (state, kind) => {
  const documented = readDocumented(state, kind);
  await using partner = await startPartner((request, response) => {
    if (isRefused(request, response)) return;
    answerJson(response, documented.response);
  });
  const tenant = testTenant({ state, userKey: "env:METRC_414", licenses: ["123-ABC"] });
  const read = await readStream(declareMetrc(partner), kind, {
    tenant,
    world: testWorld({ secrets }),
    range,
  });

  const { response } = documented;
  expect(read.records).toEqual(Array.isArray(response) ? response : readJsonPath(response, "Data"));
  expect(partner.requests).toHaveLength(1);
  const asked = new URL(documented.request.replace("GET ", ""), documented.server);
  expect(partner.requests[0]?.path).toBe(`/${state}${asked.pathname}`);
  const wanted = new Map(asked.searchParams);
  // The documented page of 10 is only an example: a stream asks for as many as it may.
  if (wanted.has("pageSize")) wanted.set("pageSize", "20");
  expect(new Map(partner.requests[0]?.query)).toEqual(wanted);
});

test("pages of 20 from 1 on, until the total is reached", async () => {
  const plants = makePlants(45);
  await using partner = await servePages(plants);
  const tenant = testTenant({ state: "ca", userKey: "env:METRC_414" });
  const read = await readStream(declareMetrc(partner), "v2_vegetative", {
    tenant,
    world: testWorld({ secrets }),
    range,
  });
  expect(read.records).toEqual(plants);
  expect(partner.requests.map((request) => request.query.get("pageNumber"))).toEqual(["1", "2", "3"]);
});

test("I16 a total that changes between the first and the last page is SOURCE_UNSTABLE", async () => {
  const plants = makePlants(45);
  await using partner = await servePages(plants, (page) => (page === 3 ? 44 : 45));
  const tenant = testTenant({ state: "ca", userKey: "env:METRC_414" });
  const reading = readStream(declareMetrc(partner), "v2_vegetative", {
    tenant,
    world: testWorld({ secrets }),
    range,
  });
  await expect(reading).rejects.toMatchObject({ code: "SOURCE_UNSTABLE", retryable: true });
});

test("streams of windows are settled, keep never-modified plants out of the cursor and a day as the longest window", async () => {
  await using partner = await servePages([]);
  const [array, pages] = declareMetrc(partner).streams;
  expect(array).toMatchObject({
    stability: "trusted",
    writeDisposition: "merge",
    landingTable: "metrc_v1_vegetative",
  });
  expect(pages).toMatchObject({ stability: "settled" });
  expect(pages?.cursor).toMatchObject({
    initial: range.start,
    range: { startFormat: "iso-s", isStartInclusive: true, hasEnd: true, spanMax: 86_400_000_000n },
  });
  expect(toCursor("0001-01-01T00:00:00+00:00") < (pages?.cursor?.minimum ?? 0n)).toBe(true);
});

test("a tenant without a state is told which field is missing", async () => {
  await using partner = await servePages([]);
  const tenant = testTenant({ userKey: "k" });
  const reading = readStream(declareMetrc(partner), "v2_vegetative", {
    tenant,
    world: testWorld({ secrets }),
    range,
  });
  await expect(reading).rejects.toMatchObject({
    code: "TENANTS_INVALID",
    message: expect.stringContaining("state"),
  });
  expect(partner.requests).toHaveLength(0);
});

test("a secret that cannot be found stops the stream before anything is sent", async () => {
  await using partner = await servePages([]);
  const tenant = testTenant({ state: "ca", userKey: "env:NOWHERE" });
  const reading = readStream(declareMetrc(partner), "v2_vegetative", {
    tenant,
    world: testWorld({ secrets }),
    range,
  });
  await expect(reading).rejects.toMatchObject({ code: "SECRET_MISSING" });
  expect(partner.requests).toHaveLength(0);
});

function isRefused(request: SeenRequest, response: ServerResponse): boolean {
  const wanted = `Basic ${Buffer.from("vendor-key:user-key").toString("base64")}`;
  if (request.headers.authorization === wanted) return false;
  answerJson(response, { Message: "Unauthorized" }, { status: 401 });
  return true;
}

function servePages(
  plants: readonly Plant[],
  total: (page: number) => number = () => plants.length,
): Promise<Partner> {
  return startPartner((request, response) => {
    if (isRefused(request, response)) return;
    const page = Number(request.query.get("pageNumber"));
    const size = Number(request.query.get("pageSize"));
    const Data = plants.slice((page - 1) * size, page * size);
    const TotalPages = Math.ceil(plants.length / size);
    answerJson(response, { Data, TotalRecords: total(page), PageSize: size, Page: page, TotalPages });
  });
}

function makePlants(count: number): Plant[] {
  return Array.from({ length: count }, (_, index) => ({
    Label: `ABCDEF0123456700000${index.toString().padStart(5, "0")}`,
    LastModified: "2018-01-17T07:00:00+00:00",
  }));
}

function toCursor(text: string): CursorValue {
  return parseCursor(text, "iso")!; // Written above, and right.
}
