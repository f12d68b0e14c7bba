/** Files that a web page links to. */
import { describe, expect, test } from "vitest";
import { testTenant } from "../test-world.ts";
import { oneStream, openFilesLanding } from "./files-landing.ts";
import { answerWith, linksTo, pageOf, startPublisher, xls } from "./publisher.ts";

const file = (text: string) => ({ body: xls(text), validators: "etag" }) as const;

test("links are found wherever they lead, and parts of their addresses become fields", async () => {
  await using publisher = await startPublisher({
    "/data/deaths": pageOf(
      '<a href="2018.xls">2018</a>',
      '<a href="/data/2019.xls#sheet2">2019</a>',
      '<a href="../data/./2019.xls">again</a>',
      "<A HREF='2020.XLS'>2020 <b>provisional</b></A>",
      '<a href="notes.pdf">notes</a>',
      '<a href="mailto:a@b.org">mail</a>',
      '<!-- <a href="1999.xls">gone</a> -->',
      "<script>document.write('<a href=\"1998.xls\">')</script>",
    ),
    "/data/2018.xls": file("2018"),
    "/data/2019.xls": file("2019"),
    "/data/2020.XLS": file("2020"),
  });
  const landing = openFilesLanding(
    oneStream({ page: `${publisher.origin}/data/deaths`, match: "{year}.xls" }),
  );
  const outcome = await landing.run();
  expect(outcome).toMatchObject({ status: "committed", counts: { received: 3, landed: 3 }, requests: 4 });
  const landed = await landing.newest();
  expect(landed.map(({ id, name, fields }) => [id.slice(publisher.origin.length), name, fields])).toEqual([
    ["/data/2018.xls", "2018.xls", { year: "2018" }],
    ["/data/2019.xls", "2019.xls", { year: "2019" }],
    ["/data/2020.XLS", "2020.XLS", { year: "2020" }],
  ]);
  expect(await landing.read(landed[2]!)).toEqual(xls("2020"));
});

test("a base, entities and a query with the name in it are heeded", async () => {
  await using publisher = await startPublisher({
    "/page": {
      body: '<base href="/file/"><base href="/wrong/"><a href="?uri=/deaths/2018/week01.xls&amp;v=2">x</a>',
    },
    "/file/?uri=/deaths/2018/week01.xls&v=2": file("week 1"),
  });
  const landing = openFilesLanding(
    oneStream({ page: `${publisher.origin}/page`, match: "/file/?uri=**/{year}/week{week}.xls*" }),
  );
  await landing.run();
  expect(await landing.newest()).toMatchObject([
    { name: "week01.xls", fields: { year: "2018", week: "01" }, version: 1 },
  ]);
});

test("a regular expression sees the whole address, and a second pattern is tried after the first", async () => {
  await using publisher = await startPublisher({
    "/": linksTo("a-2018-03.xls", "b/2019/x.xls", "c.xls"),
    "/a-2018-03.xls": file("a"),
    "/b/2019/x.xls": file("b"),
  });
  const landing = openFilesLanding(
    oneStream({
      page: publisher.origin,
      match: [/\/a-(?<year>\d{4})-(?<month>\d\d)\.xls$/g, "{year}/*.xls"],
      exclude: "c.xls",
    }),
  );
  await landing.run();
  expect((await landing.newest()).map(({ fields }) => fields)).toEqual([
    { year: "2018", month: "03" },
    { year: "2019" },
  ]);
});

test("what a link says is a field, or decides", async () => {
  await using publisher = await startPublisher({
    "/": pageOf(
      '<a href="/file?id=1">Deaths in  <i>2018</i></a>',
      '<a href="/file?id=2" aria-label="Births in 2018"><img src="x.png" alt=""></a>',
    ),
    "/file?id=1": {
      body: xls("deaths"),
      validators: "etag",
      headers: { "content-disposition": 'attachment; filename="deaths 2018.xls"' },
    },
    "/file?id=2": file("births"),
  });
  const page = publisher.origin;
  const titled = openFilesLanding(oneStream({ page: { url: page, text: "title" }, match: "/file" }));
  await titled.run();
  expect((await titled.newest()).map(({ name, fields }) => [name, fields])).toEqual([
    ["deaths 2018.xls", { title: "Deaths in 2018" }],
    ["file", { title: "Births in 2018" }],
  ]);
  expect((await titled.run()).status).toBe("unchanged"); // An answer without a body does not take the name away.
  const chosen = openFilesLanding(
    oneStream({ page: { url: page, text: /^Deaths in (?<year>\d+)$/ }, match: "/file" }),
  );
  await chosen.run();
  expect(await chosen.newest()).toMatchObject([{ id: `${page}/file?id=1`, fields: { year: "2018" } }]);
});

describe("further pages", () => {
  const site = {
    "/": pageOf(
      '<a href="/?page=2">next</a>',
      '<a href="2020.xls">2020</a>',
      '<a href="https://127.0.0.1:1/?page=9">x</a>',
    ),
    "/?page=2": pageOf(
      '<a href="/?page=3">next</a>',
      '<a href="/?page=1">back</a>',
      '<a href="2019.xls">2019</a>',
    ),
    "/?page=3": pageOf(
      '<a href="/?page=2">back</a>',
      '<a href="2018.xls">2018</a>',
      '<a href="2020.xls">2020</a>',
    ),
    "/?page=1": pageOf(),
    "/2018.xls": file("2018"),
    "/2019.xls": file("2019"),
    "/2020.xls": file("2020"),
  };

  test("are followed once each, within their origin", async () => {
    await using publisher = await startPublisher(site);
    const page = { url: publisher.origin, follow: "/?page=*" };
    const landing = openFilesLanding(oneStream({ page, match: "{year}.xls" }));
    expect((await landing.run()).counts.landed).toBe(3);
    expect(publisher.asked().filter((path) => !path.endsWith(".xls"))).toEqual([
      "/",
      "/?page=2",
      "/?page=3",
      "/?page=1",
    ]);
  });

  test("beyond the bound are an error before anything is fetched", async () => {
    await using publisher = await startPublisher(site);
    const page = { url: publisher.origin, follow: "/?page=*", pagesMax: 2 };
    const landing = openFilesLanding(oneStream({ page, match: "{year}.xls" }));
    await expect(landing.run()).rejects.toMatchObject({
      code: "PAGES_ENDLESS",
      hint: expect.stringContaining("page.pagesMax"),
    });
    expect(publisher.asked()).not.toContain("/2020.xls");
  });
});

test("a page without a link that fits is an error that shows those it has", async () => {
  await using publisher = await startPublisher({ "/": linksTo("/about", "/2018.ods", "/imprint") });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "{year}.xls*" }));
  await expect(landing.run()).rejects.toMatchObject({
    code: "SOURCE_SHAPE_CHANGED",
    message: `No link of ${publisher.origin} fits "{year}.xls*": it has 3, such as ${publisher.origin}/2018.ods.`,
    details: { source: "pub", stream: "docs", tenant: "414" },
  });
  publisher.site.set("/", { body: "<div id=app></div><script src=app.js></script>" });
  await expect(landing.run()).rejects.toMatchObject({ hint: expect.stringContaining("scripts") });
});

test("a page that has moved is found, and its links are relative to where it is now", async () => {
  await using publisher = await startPublisher({
    "/old": { status: 301, body: "", headers: { location: "/new/place/" } },
    "/new/place/": linksTo("2018.xls"),
    "/new/place/2018.xls": { status: 302, body: "", headers: { location: "/store/2018.xls" } },
    "/store/2018.xls": file("2018"),
  });
  const landing = openFilesLanding(oneStream({ page: `${publisher.origin}/old`, match: "{year}.xls" }));
  await landing.run();
  expect(await landing.newest()).toMatchObject([
    { id: `${publisher.origin}/new/place/2018.xls`, address: `${publisher.origin}/store/2018.xls` },
  ]);
});

test("credentials and headers go to the page's origin, and not to where its files or redirects lead", async () => {
  await using cdn = await startPublisher({ "/2018.xls": file("2018"), "/moved.xls": file("2019") });
  await using publisher = await startPublisher({
    "/": linksTo(`${cdn.origin}/2018.xls`, "/2019.xls", "/2020.xls"),
    "/2019.xls": { status: 307, body: "", headers: { location: `${cdn.origin}/moved.xls` } },
    "/2020.xls": file("2020"),
  });
  const source = oneStream(
    { page: publisher.origin, match: "{year}.xls" },
    { auth: { type: "bearer", token: "s3cret" }, headers: { "x-key": "k3y" }, userAgent: "team@example.org" },
  );
  const landing = openFilesLanding(source);
  await landing.run();
  expect(publisher.requests.map(({ headers }) => [headers["authorization"], headers["x-key"]])).toEqual(
    publisher.requests.map(() => ["Bearer s3cret", "k3y"]),
  );
  expect(cdn.requests).toHaveLength(2);
  for (const { headers } of cdn.requests) {
    expect(headers["authorization"]).toBeUndefined();
    expect(headers["x-key"]).toBeUndefined();
    expect(headers["user-agent"]).toMatch(/^team@example\.org leat\/\d+\.\d+\.\d+$/);
  }
});

test("an address with a key in it is told and landed without it", async () => {
  await using publisher = await startPublisher({ "/": linksTo("/2018.xls?api_key=t0psecret&v=1") });
  publisher.site.set("/2018.xls", (request, response) => {
    expect(request.query.get("api_key")).toBe("t0psecret");
    answerWith(request, response, file("2018"));
  });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "{year}.xls" }));
  await landing.run();
  const [landed] = await landing.newest();
  expect(landed).toMatchObject({ id: `${publisher.origin}/2018.xls?api_key=***&v=1` });
  const told = JSON.stringify([landed, landing.world.events]);
  expect(told).not.toContain("t0psecret");
});

test("a page of the tenant's own, in another encoding", async () => {
  await using publisher = await startPublisher({
    "/berlin/": {
      body: Buffer.from('<meta charset="windows-1252"><a href="2018.xls">M\xe4rz</a>', "latin1"),
    },
    "/berlin/2018.xls": file("berlin"),
  });
  const page = { url: `${publisher.origin}/{tenant.city}/`, text: "title" };
  const landing = openFilesLanding(oneStream({ page, match: "{year}.xls" }));
  await landing.run({ tenant: testTenant({ city: "berlin" }) });
  expect(await landing.newest()).toMatchObject([{ fields: { title: "März", year: "2018" } }]);
});
