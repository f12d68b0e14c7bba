/** What is asked again, what is fetched again, and what becomes another version. */
import { describe, expect, test } from "vitest";
import { readHead } from "../../../src/landing/log.ts";
import { oneStream, openFilesLanding } from "./files-landing.ts";
import { linksTo, type Publisher, type Served, startPublisher, xls } from "./publisher.ts";

const open = (publisher: Publisher) =>
  openFilesLanding(oneStream({ page: publisher.origin, match: "{year}.xls" }));

const statuses = (publisher: Publisher): readonly (string | undefined)[] =>
  publisher.requests
    .filter(({ path }) => path.endsWith(".xls"))
    .map(({ headers }) => headers["if-none-match"] ?? headers["if-modified-since"]);

describe("an unchanged file", () => {
  test.each([
    "etag",
    "last-modified",
    "both",
  ] as const)("with %s is asked for with its validators, not fetched and not landed again", async (validators) => {
    const changedAt = new Date("2024-03-01T10:00:00Z");
    await using publisher = await startPublisher({
      "/": linksTo("2018.xls"),
      "/2018.xls": { body: xls("2018"), validators, changedAt },
    });
    const landing = open(publisher);
    expect((await landing.run()).status).toBe("committed");
    const second = await landing.run();
    expect(second).toMatchObject({
      status: "unchanged",
      seqs: [],
      receivedBytes: 0,
      counts: { received: 1, landed: 0, boundarySkipped: 1 },
      missingFiles: 0,
    });
    expect(statuses(publisher)).toEqual([undefined, expect.any(String)]);
    const [file] = await landing.newest();
    expect(file?.lastModified).toBe(validators === "etag" ? undefined : changedAt.toISOString());
  });

  test("without validators is fetched, and known by its bytes", async () => {
    await using publisher = await startPublisher({
      "/": linksTo("2018.xls"),
      "/2018.xls": { body: xls("2018") },
    });
    const landing = open(publisher);
    await landing.run();
    const second = await landing.run();
    expect(second).toMatchObject({ status: "unchanged", receivedBytes: xls("2018").length });
    expect(await landing.versions()).toHaveLength(1);
    const keys: string[] = [];
    for await (const { key } of landing.store.list("landing/")) keys.push(key);
    expect(keys.filter((key) => key.includes("/file-"))).toHaveLength(1);
  });

  test("under new validators is not landed again, and asked for with the new ones", async () => {
    await using publisher = await startPublisher({
      "/": linksTo("2018.xls"),
      "/2018.xls": { body: xls("2018"), headers: { etag: '"one"' } },
    });
    const landing = open(publisher);
    await landing.run();
    publisher.site.set("/2018.xls", { body: xls("2018"), headers: { etag: '"two"' } });
    const moved = await landing.run();
    expect(moved).toMatchObject({ status: "committed", counts: { received: 1, landed: 0 } });
    expect((await readHead(landing.store, landing.place))?.manifest.kind).toBe("empty");
    await landing.run();
    expect(statuses(publisher)).toEqual([undefined, '"one"', '"two"']);
    expect(await landing.versions()).toHaveLength(1);
  });
});

test("a file that changes under its name is another version, and both are kept", async () => {
  const served = (text: string): Served => ({ body: xls(text), validators: "both" });
  await using publisher = await startPublisher({
    "/": linksTo("2018.xls", "2019.xls"),
    "/2018.xls": served("first"),
    "/2019.xls": served("other"),
  });
  const landing = open(publisher);
  await landing.run();
  publisher.site.set("/2018.xls", served("second"));
  const outcome = await landing.run();
  expect(outcome.counts).toMatchObject({ received: 2, landed: 1, boundarySkipped: 1 });
  publisher.site.set("/2018.xls", served("first"));
  await landing.run();

  const versions = await landing.versions();
  expect(versions.map(({ name, version, seq }) => [name, version, seq])).toEqual([
    ["2018.xls", 1, 1],
    ["2019.xls", 1, 1],
    ["2018.xls", 2, 2],
    ["2018.xls", 3, 3],
  ]);
  const texts = await Promise.all(versions.map((version) => landing.read(version)));
  expect(texts).toEqual([xls("first"), xls("other"), xls("second"), xls("first")]);
  expect((await landing.newest()).map(({ name, version }) => [name, version])).toEqual([
    ["2018.xls", 3],
    ["2019.xls", 1],
  ]);
});

test("a file that is gone from the page stays, and is counted", async () => {
  await using publisher = await startPublisher({
    "/": linksTo("2018.xls", "2019.xls"),
    "/2018.xls": { body: xls("a") },
    "/2019.xls": { body: xls("b") },
  });
  const landing = open(publisher);
  await landing.run();
  publisher.site.set("/", linksTo("2019.xls"));
  expect(await landing.run()).toMatchObject({ status: "unchanged", missingFiles: 1 });
  expect(await landing.newest()).toHaveLength(2);
});

test("a pattern with another field holds for what is landed already", async () => {
  await using publisher = await startPublisher({
    "/": linksTo("deaths-2018.xls"),
    "/deaths-2018.xls": { body: xls("a"), validators: "etag" },
  });
  const before = openFilesLanding(oneStream({ page: publisher.origin, match: "deaths-{what}.xls" }));
  await before.run();
  const after = openFilesLanding(oneStream({ page: publisher.origin, match: "deaths-{year}.xls" }), {
    store: before.store,
  });
  expect(await after.run()).toMatchObject({ status: "committed", counts: { landed: 0 } });
  expect((await after.newest()).map(({ fields }) => fields)).toEqual([{ year: "2018" }]);
  expect((await after.versions()).map(({ fields }) => fields)).toEqual([{ year: "2018" }]);
  expect((await after.run()).status).toBe("unchanged");
});

test("a compressed answer is landed as the file it is, and a compressed file as it came", async () => {
  const { gzipSync } = await import("node:zlib");
  const csv = "area,deaths\nE1,3\n";
  await using publisher = await startPublisher({
    "/": linksTo("2018.csv", "2019.csv.gz"),
    "/2018.csv": { body: gzipSync(csv), headers: { "content-encoding": "gzip" } },
    "/2019.csv.gz": { body: gzipSync(csv), headers: { "content-encoding": "gzip" } },
  });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "{year}.csv*" }));
  await landing.run();
  const [plain, packed] = await landing.newest();
  expect((await landing.read(plain!)).toString()).toBe(csv);
  expect(await landing.read(packed!)).toEqual(gzipSync(csv));
  expect(publisher.requests.at(-1)?.headers["accept-encoding"]).toBe("identity");
});
