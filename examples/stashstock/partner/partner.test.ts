import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Partner } from "./partner.ts";
import type { Account } from "./plant-book.ts";
import { startPartner } from "./start-partner.ts";

const accounts: readonly Account[] = [
  { tenant: "414", state: "ca", licenses: ["CA-1", "CA-2"], userKey: "key-414" },
  { tenant: "41", state: "co", licenses: ["CO-1"], userKey: "key-41" },
];
const startMs = Date.parse("2026-03-10T12:00:00Z");
const dayMs = 86_400_000;
const zulu = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const start = () =>
  startPartner({
    seed: 7,
    vendorKey: "vendor",
    accounts,
    nowMs: startMs,
    historyMs: 3 * dayMs,
    plantsPerLicense: 90,
  });

type Answer = Record<string, unknown>;

let partner: Partner;
beforeEach(async () => {
  partner = await start();
});
afterEach(() => partner.close());

async function ask(path: string, params: Record<string, string | number>, user = "vendor:key-414") {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) query.set(name, String(value));
  const headers = { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
  const response = await fetch(`${partner.url}/${path}?${query}`, { headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

const parse = (text: string): unknown => JSON.parse(text);
const plantsOf = (text: string) => (parse(text) as { plants: Answer[] }[]).flatMap(({ plants }) => plants);
const pageOf = (text: string) => parse(text) as { Data: Answer[]; TotalPages: number; Total: number };
const all = (license = "CA-1") => ({ licenseNumber: license });
const lastHour = () => ({
  licenseNumber: "CA-1",
  lastModifiedStart: zulu(partner.nowMs() - 3_600_000),
  lastModifiedEnd: zulu(partner.nowMs() + 1000),
});

describe("what the partner answers", () => {
  test("the main stream is an array of envelopes with at most 20 plants each", async () => {
    const { status, text } = await ask("ca/plants/v1/all", all());
    expect(status).toBe(200);
    const envelopes = parse(text) as { plants: Answer[] }[];
    expect(envelopes.map((envelope) => Object.keys(envelope))).toEqual(envelopes.map(() => ["plants"]));
    expect(envelopes.map(({ plants }) => plants.length)).toEqual([20, 20, 20, 20, 10]);
    expect(envelopes[0]?.plants[0]).toHaveProperty("lastModified");
  });

  test("without plants the main stream is one empty envelope", async () => {
    expect((await ask("ca/plants/v1/all", lastHour())).text).toBe('[{"plants":[]}]');
  });

  test("v1 is a bare array and v2 an envelope with totals, in pages of the size asked for", async () => {
    const v1 = parse((await ask("ca/plants/v1/vegetative", all())).text) as Answer[];
    const labels: unknown[] = [];
    let totalPages = 1;
    for (let page = 1; page <= totalPages; page++) {
      const { text } = await ask("ca/plants/v2/vegetative", { ...all(), pageSize: 20, pageNumber: page });
      const { Data, ...totals } = pageOf(text);
      totalPages = totals.TotalPages;
      labels.push(...Data.map((plant) => plant["Label"]));
      expect(totals).toEqual({
        Total: v1.length,
        TotalRecords: v1.length,
        PageSize: 20,
        RecordsOnPage: Data.length,
        Page: page,
        CurrentPage: page,
        TotalPages: Math.ceil(v1.length / 20),
      });
    }
    expect(totalPages).toBeGreaterThan(1);
    expect(labels).toEqual(v1.map((plant) => plant["Label"]));
  });

  test("the fields are those of the documented answers, in their order", async () => {
    const documented = [
      "Id Label State GrowthPhase GroupTagTypeMax TagTypeMax PlantBatchId PlantBatchName PlantBatchTypeId",
      "PlantBatchTypeName StrainId StrainName LocationId LocationName LocationTypeName PatientLicenseNumber HarvestId",
      "HarvestedUnitOfWeightName HarvestedUnitOfWeightAbbreviation HarvestedWetWeight HarvestCount IsOnHold IsOnTrip",
      "PlantedDate VegetativeDate FloweringDate HarvestedDate DestroyedDate DestroyedNote DestroyedByUserName",
      "LastModified",
    ].flatMap((line) => line.split(" "));
    for (const endpoint of ["vegetative", "flowering", "inactive"]) {
      const { Data } = pageOf((await ask(`ca/plants/v2/${endpoint}`, all())).text);
      expect(Data.length).toBeGreaterThan(0);
      for (const plant of Data) expect(Object.keys(plant)).toEqual(documented);
    }
  });

  test("has ids beyond 2^53, decimals with trailing zeros, and times that say never", async () => {
    const { text } = await ask("ca/plants/v1/all", all());
    expect(/"id":90071992547\d{4}[13579],/.test(text)).toBe(true);
    expect(/"harvestedWetWeight":\d+\.\d0,/.test(text)).toBe(true);
    expect(text.includes('"lastModified":"0001-01-01T00:00:00+00:00"')).toBe(true);
    expect(/"lastModified":"2026-03-\d\dT\d\d:\d\d:\d\d\+00:00"/.test(text)).toBe(true);
  });

  test("answers are not in the order of modification", async () => {
    const times = plantsOf((await ask("ca/plants/v1/all", all())).text).map((plant) => plant["lastModified"]);
    expect(times).not.toEqual([...times].sort());
  });

  test("windows of a day together show every plant once", async () => {
    const labels: unknown[] = [];
    for (let day = 0; day < 3; day++) {
      const from = startMs - (3 - day) * dayMs;
      const range = { lastModifiedStart: zulu(from), lastModifiedEnd: zulu(from + dayMs - 1000) };
      const { text } = await ask("ca/plants/v1/all", { ...all(), ...range });
      labels.push(...plantsOf(text).map((plant) => plant["label"]));
    }
    expect(labels).toHaveLength(90);
    expect(new Set(labels).size).toBe(90);
  });

  test("the same seed tells the same story, another seed another", async () => {
    const { text } = await ask("ca/plants/v1/all", all());
    const first = partner;
    partner = await start();
    await first.close();
    expect((await ask("ca/plants/v1/all", all())).text).toBe(text);
    const other = await startPartner({
      seed: 8,
      vendorKey: "vendor",
      accounts,
      nowMs: startMs,
      plantsPerLicense: 90,
    });
    await partner.close();
    partner = other;
    expect((await ask("ca/plants/v1/all", all())).text).not.toBe(text);
  });
});

describe("what the partner refuses", () => {
  const refusals: readonly [string, number, string, Record<string, string | number>, string?][] = [
    ["a wrong user key", 401, "ca/plants/v1/all", all(), "vendor:nobody"],
    ["a wrong vendor key", 401, "ca/plants/v1/all", all(), "someone:key-414"],
    ["a key of another state", 401, "co/plants/v1/all", all()],
    ["somebody else's license", 403, "ca/plants/v1/all", all("CO-1")],
    ["an endpoint that is not there", 404, "ca/plants/v2/all", all()],
    ["no license", 400, "ca/plants/v1/vegetative", {}],
    ["a page of more than 20", 400, "ca/plants/v2/flowering", { ...all(), pageSize: 21, pageNumber: 1 }],
    ["page 0", 400, "ca/plants/v2/flowering", { ...all(), pageSize: 20, pageNumber: 0 }],
    ["a start that is no time", 400, "ca/plants/v1/all", { ...all(), lastModifiedStart: "yesterday" }],
    [
      "a range of more than 24 hours",
      400,
      "ca/plants/v1/all",
      { ...all(), lastModifiedStart: zulu(startMs - dayMs - 1000), lastModifiedEnd: zulu(startMs) },
    ],
    [
      "an end before the start",
      400,
      "ca/plants/v1/all",
      { ...all(), lastModifiedStart: zulu(startMs), lastModifiedEnd: zulu(startMs - 1000) },
    ],
  ];
  test.each(refusals)("%s is a %i", async (_what, status, path, params, user) => {
    const answer = await ask(path, params, user);
    expect(answer.status).toBe(status);
    expect(parse(answer.text)).toHaveProperty("Message");
    expect(partner.counts.total()).toMatchObject({ requests: 1, answered: 0, refused: 1 });
  });

  test("a range of exactly 24 hours is answered", async () => {
    const range = { lastModifiedStart: zulu(startMs - dayMs), lastModifiedEnd: zulu(startMs) };
    expect((await ask("ca/plants/v1/all", { ...all(), ...range })).status).toBe(200);
  });
});

describe("how the partner changes", () => {
  test("changed plants are shown in their new version, and truth agrees", async () => {
    const changed = partner.change({ count: 12, tenant: "414" });
    const expected = changed.filter(({ license }) => license === "CA-1").map(({ label }) => label);
    const plants = plantsOf((await ask("ca/plants/v1/all", lastHour())).text);
    expect(plants.map((plant) => plant["label"]).sort()).toEqual([...expected].sort());
    const truth = partner.truth("414");
    expect(truth.size).toBe(180);
    for (const plant of plants) {
      expect(plant["lastModified"]).toBe(truth.get(String(plant["label"]))?.fields["LastModified"]);
    }
  });

  test("every change changes something beside the time", () => {
    const before = partner.truth("414");
    for (const { label } of partner.change({ count: 180, tenant: "414" })) {
      const { LastModified: _then, ...was } = before.get(label)!.fields;
      const { LastModified: _now, ...is } = partner.truth("414").get(label)!.fields;
      expect(is).not.toEqual(was);
    }
  });

  test("new plants appear with the tenant they were sown for", () => {
    partner.change({ count: 5, tenant: "41", isNew: true });
    expect(partner.truth("41").size).toBe(95);
    expect(partner.truth("414").size).toBe(180);
  });

  test("a late change is seen only later, with the time at which it was made", async () => {
    const madeAtMs = partner.nowMs();
    const [change] = partner.change({ count: 1, tenant: "414", lateMs: 20_000 });
    const before = partner.truth("414").get(change!.label);
    expect(partner.msUntilSettled()).toBeGreaterThan(0);
    partner.advance(21_000);
    const after = partner.truth("414").get(change!.label);
    expect(after).not.toEqual(before);
    expect(Date.parse(String(after?.fields["LastModified"]))).toBeLessThanOrEqual(madeAtMs);
    expect(partner.msUntilSettled()).toBe(0);
  });

  test("a backdated change is seen at once, behind changes seen before", () => {
    const [first] = partner.change({ count: 1, tenant: "414" });
    const [second] = partner.change({ count: 1, tenant: "41", backdateMs: 60_000 });
    const timeOf = (tenant: string, label: string) =>
      Date.parse(String(partner.truth(tenant).get(label)?.fields["LastModified"]));
    expect(timeOf("41", second!.label)).toBeLessThan(timeOf("414", first!.label));
  });

  test("the Date header is the partner's clock, set forward or not", async () => {
    partner.advance(5 * dayMs);
    const { headers } = await ask("ca/plants/v1/all", lastHour());
    const dateMs = Date.parse(headers.get("date") ?? "");
    expect(Math.abs(dateMs - (startMs + 5 * dayMs))).toBeLessThan(10_000);
  });
});

describe("what goes wrong on request", () => {
  test("429 with Retry-After, as often as told, then the answer", async () => {
    partner.faults.inject({ kind: "status", status: 429, retryAfter: "1", times: 2, tenant: "414" });
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await ask("ca/plants/v1/all", all()));
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 200]);
    expect(answers[0]?.headers.get("retry-after")).toBe("1");
    expect(partner.counts.total({ tenant: "414" })).toMatchObject({
      requests: 3,
      answered: 1,
      refused: 2,
      plants: 90,
    });
  });

  test("a 500 for one endpoint leaves the others alone", async () => {
    partner.faults.inject({ kind: "status", status: 500, endpoint: "v2/flowering" });
    expect((await ask("ca/plants/v1/all", all())).status).toBe(200);
    expect((await ask("ca/plants/v2/flowering", all())).status).toBe(500);
    expect((await ask("ca/plants/v2/flowering", all())).status).toBe(200);
  });

  test("an answer that breaks in the middle of its body is not counted as answered", async () => {
    partner.faults.inject({ kind: "break", after: 1 });
    expect((await ask("ca/plants/v1/all", all())).status).toBe(200);
    await expect(ask("ca/plants/v1/all", all())).rejects.toThrow();
    expect(partner.counts.total()).toMatchObject({ requests: 2, answered: 1, broken: 1, plants: 90 });
  });

  test("a stalled answer waits for its release", async () => {
    partner.faults.inject({ kind: "stall", after: 1 });
    await ask("ca/plants/v1/all", all());
    const stalled = ask("ca/plants/v1/all", all());
    await partner.counts.reach(({ requests }) => requests === 2);
    expect(partner.counts.total().answered).toBe(1);
    partner.faults.release();
    expect((await stalled).status).toBe(200);
    expect(partner.counts.total().answered).toBe(2);
  });

  test("every second request can fail", async () => {
    partner.faults.inject({ kind: "status", status: 503, every: 2, times: 100 });
    const statuses = [];
    for (let n = 0; n < 4; n++) statuses.push((await ask("ca/plants/v1/all", all())).status);
    expect(statuses).toEqual([503, 200, 503, 200]);
  });
});

test("the knobs can be turned over HTTP when the partner has a process of its own", async () => {
  await partner.close();
  partner = await startPartner({
    seed: 1,
    vendorKey: "vendor",
    accounts,
    plantsPerLicense: 10,
    hasAdmin: true,
  });
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(`${partner.url}/_partner/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return (await answer.json()) as unknown;
  };
  const changed = await post("change", { count: 3, tenant: "41" });
  expect(changed).toHaveLength(3);
  await post("faults", { kind: "status", status: 500 });
  expect((await ask("ca/plants/v1/all", all())).status).toBe(500);
  const nowMs = partner.nowMs();
  await post("clock", { advanceMs: 60_000 });
  expect(partner.nowMs() - nowMs).toBeGreaterThanOrEqual(60_000);
  const counts = (await (await fetch(`${partner.url}/_partner/counts`)).json()) as unknown;
  expect(counts).toEqual([
    { tenant: "414", endpoint: "v1/all", requests: 1, answered: 0, plants: 0, refused: 1, broken: 0 },
  ]);
  const truth = await fetch(`${partner.url}/_partner/truth?tenant=41`);
  expect(await truth.json()).toHaveLength(10);
});
