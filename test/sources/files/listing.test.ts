/** Files that a listing in JSON names. */
import { expect, test } from "vitest";
import { answerJson } from "../partner-server.ts";
import { oneStream, openFilesLanding } from "./files-landing.ts";
import { startPublisher, xls } from "./publisher.ts";

const json = (body: unknown) => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

test("records name files, their fields and when they changed; what did not is not even asked for", async () => {
  const records = (modified: string) =>
    json({
      result: {
        resources: [
          {
            url: "files/2018.xls",
            title: "Deaths 2018",
            last_modified: "2024-01-01T10:00:00Z",
            period: { of: 2018 },
          },
          { url: "files/2019.xls", title: "Deaths 2019", last_modified: modified, period: { of: 2019 } },
          { url: "files/about.pdf", title: "About", last_modified: modified, period: {} },
          { url: null, title: "A folder" },
        ],
      },
    });
  await using publisher = await startPublisher({
    "/api/show": records("2024-02-01T10:00:00Z"),
    "/api/files/2018.xls": { body: xls("2018") },
    "/api/files/2019.xls": { body: xls("2019") },
  });
  const landing = openFilesLanding(
    oneStream({
      listing: {
        url: `${publisher.origin}/api/show`,
        records: "result.resources",
        address: "url",
        modified: "last_modified",
        fields: { title: "title", of: "period.of" },
      },
      match: "{year}.xls",
    }),
  );
  await landing.run();
  expect(await landing.newest()).toMatchObject([
    {
      id: `${publisher.origin}/api/files/2018.xls`,
      fields: { title: "Deaths 2018", of: "2018", year: "2018" },
      lastModified: "2024-01-01T10:00:00.000Z",
    },
    { name: "2019.xls" },
  ]);
  publisher.asked();
  await landing.run();
  expect(publisher.asked()).toEqual(["/api/show"]);
  publisher.site.set("/api/show", records("2024-03-01T10:00:00Z"));
  publisher.site.set("/api/files/2019.xls", { body: xls("2019, revised") });
  expect((await landing.run()).counts.landed).toBe(1);
  expect(publisher.asked()).toEqual(["/api/show", "/api/files/2019.xls"]);
});

test("addresses that are signed anew each time are told apart by their id", async () => {
  let count = 0;
  await using publisher = await startPublisher({
    "/list": (_request, response) =>
      answerJson(response, [{ key: "a/1.csv", href: `/get?token=${++count}`, etag: "v1" }]),
    "/get": { body: "a\n1\n" },
  });
  const landing = openFilesLanding(
    oneStream({
      listing: { url: `${publisher.origin}/list`, address: "href", id: "key", name: "key", etag: "etag" },
    }),
  );
  await landing.run();
  expect((await landing.run()).status).toBe("unchanged");
  expect(publisher.asked()).toEqual(["/list", "/get?token=1", "/list"]);
  expect(await landing.newest()).toMatchObject([{ id: "a/1.csv", name: "a/1.csv", version: 1 }]);
});

test.each([
  ["the Link header", "link" as const],
  ["a path in the answer", { path: "links.next" }],
])("further pages are found by %s", async (_what, next) => {
  const page = (number: number) => (_request: unknown, response: import("node:http").ServerResponse) => {
    const following = number < 3 ? `/list?page=${number + 1}` : null;
    const link: Record<string, string> = following === null ? {} : { link: `<${following}>; rel="next"` };
    answerJson(
      response,
      { items: [{ href: `/${number}.csv` }], links: { next: following } },
      next === "link" ? { headers: link } : {},
    );
  };
  await using publisher = await startPublisher({
    "/list": page(1),
    "/list?page=2": page(2),
    "/list?page=3": page(3),
    ...Object.fromEntries([1, 2, 3].map((number) => [`/${number}.csv`, { body: `${number}\n` }])),
  });
  const listing = { url: `${publisher.origin}/list`, records: "items", address: "href", next };
  const landing = openFilesLanding(oneStream({ listing }));
  expect((await landing.run()).counts.landed).toBe(3);
  const bounded = openFilesLanding(oneStream({ listing: { ...listing, pagesMax: 2 } }));
  await expect(bounded.run()).rejects.toMatchObject({
    code: "PAGES_ENDLESS",
    hint: "Raise `listing.pagesMax`.",
  });
});

test("a listing that leads round is an error", async () => {
  await using publisher = await startPublisher({ "/list": json({ items: [], next: "/list" }) });
  const listing = {
    url: `${publisher.origin}/list`,
    records: "items",
    address: "href",
    next: { path: "next" },
  };
  await expect(openFilesLanding(oneStream({ listing })).run()).rejects.toMatchObject({
    code: "PAGES_ENDLESS",
  });
});

test("a listing of another shape is an error that names what it has", async () => {
  await using publisher = await startPublisher({ "/list": json({ files: [{ link: "/1.csv" }], count: 1 }) });
  const url = `${publisher.origin}/list`;
  await expect(
    openFilesLanding(oneStream({ listing: { url, records: "items", address: "link" } })).run(),
  ).rejects.toMatchObject({ code: "SOURCE_SHAPE_CHANGED", hint: expect.stringContaining("files, count") });
  await expect(
    openFilesLanding(oneStream({ listing: { url, records: "files", address: "href" } })).run(),
  ).rejects.toMatchObject({ code: "SOURCE_SHAPE_CHANGED", hint: expect.stringContaining("which have link") });
  publisher.site.set("/list", { body: "<html>maintenance</html>", headers: { "content-type": "text/html" } });
  await expect(
    openFilesLanding(oneStream({ listing: { url, records: "files", address: "link" } })).run(),
  ).rejects.toMatchObject({ code: "SOURCE_MOVED" });
});

test("an empty listing lands nothing and is told", async () => {
  await using publisher = await startPublisher({ "/list": json([]) });
  const landing = openFilesLanding(
    oneStream({ listing: { url: `${publisher.origin}/list`, address: "href" } }),
  );
  expect((await landing.run()).status).toBe("unchanged");
  expect(landing.warnings()).toEqual(["the listing is empty"]);
});
