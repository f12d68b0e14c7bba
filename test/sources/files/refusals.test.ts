/** What is refused by name: nothing of it is landed or known, and no other file is stopped. */
import { expect, test } from "vitest";
import { createMemoryStore } from "../../../src/testing/memory-store.ts";
import { oneStream, openFilesLanding } from "./files-landing.ts";
import { type Answer, linksTo, startPublisher, xls, zip } from "./publisher.ts";

const errorPage = {
  body: "<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
  headers: { "content-type": "text/html" },
};

/** Announces more bytes than it sends, and hangs up. */
const cut: Answer = async (_request, response) => {
  response.writeHead(200, { "content-length": "5000" });
  response.write(xls("cut"), () => response.destroy());
};

/** Sends a part of a zip archive, without saying how much there is. */
const cutWithoutLength: Answer = async (_request, response) => {
  response.writeHead(200, { connection: "close" });
  response.useChunkedEncodingByDefault = false;
  response.end(zip("a workbook").subarray(0, 30));
};

test.each<[string, string, Answer, RegExp]>([
  [
    "a page for people saved as .xls",
    "2018.xls",
    errorPage,
    /its name says \.xls, and it is a web page: "<!DOCTYPE html>/,
  ],
  [
    "an error in JSON saved as .xlsx",
    "2018.xlsx",
    { body: '{"error":"quota"}', headers: { "content-type": "application/json" } },
    /its name says \.xlsx, and it is JSON: /,
  ],
  [
    "an error in XML saved as .csv",
    "2018.csv",
    { body: "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>" },
    /it is XML/,
  ],
  ["a page for people as a file without an ending", "2018", errorPage, /^.*it is a web page/],
  ["a PDF saved as .xls", "2018.xls", { body: "%PDF-1.7 …" }, /it is a PDF document/],
  [
    "text saved as .xls",
    "2018.xls",
    { body: "area\tdeaths\n" },
    /does not begin as a \.xls file does: "area deaths"/,
  ],
  ["an empty file", "2018.xls", { body: "" }, /it is empty/],
  ["an answer without content", "2018.csv", { body: "", status: 204 }, /it is empty/],
  [
    "a file that is not there",
    "2018.xls",
    { body: "gone", status: 404 },
    /GET http:.*2018\.xls answered 404\. It says: gone/,
  ],
  [
    "a file larger than allowed",
    "2018.csv",
    { body: "a,b\n".repeat(600) },
    /it has 2400 bytes or more, and `fileBytesMax` is 2000/,
  ],
  ["a file cut off before its announced end", "2018.xls", cut, /broke off in the middle/],
  ["an archive cut off without an announcement", "2018.xlsx", cutWithoutLength, /it ends in the middle/],
  ["a lock file", "~$2018.xls", { body: xls("x") }, /lock file of somebody's open document/],
])("%s", async (_what, name, answer, reason) => {
  await using publisher = await startPublisher({
    "/": linksTo("first-2017.csv", `/${name}`, "last-2019.csv"),
    "/first-2017.csv": { body: "a,b\n1,2\n" },
    [`/${name}`]: answer,
    "/last-2019.csv": { body: "a,b\n3,4\n" },
  });
  const store = createMemoryStore();
  const stream = { page: publisher.origin, match: "*20*", fileBytesMax: 2000 };
  const landing = openFilesLanding(oneStream(stream, { retry: { tries: 1 } }), { store });
  const failure = await landing.run().catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "FILE_REFUSED",
    message: expect.stringContaining("1 file was refused, 2 new landed."),
    details: {
      source: "pub",
      stream: "docs",
      tenant: "414",
      landed: 2,
      refused: [{ id: `${publisher.origin}/${name}`, name, reason: expect.stringMatching(reason) }],
    },
  });
  expect((await landing.newest()).map((file) => file.name)).toEqual(["first-2017.csv", "last-2019.csv"]);
  const keys: string[] = [];
  for await (const { key } of store.list("landing/")) keys.push(key.slice(key.lastIndexOf("/") + 1));
  expect(keys.filter((key) => key.startsWith("file-"))).toHaveLength(2);

  // Nothing of it counts as known: when it has come right it is landed.
  if (name.startsWith("~$")) return;
  publisher.site.set(`/${name}`, {
    body: name.endsWith(".xls") ? xls("y") : name.endsWith(".xlsx") ? zip("y") : "a\n1\n",
  });
  expect((await landing.run()).counts).toMatchObject({ received: 3, landed: 1 });
});

test("all refused files are told, with their reasons", async () => {
  await using publisher = await startPublisher({
    "/": linksTo("1.xls", "2.xls", "3.xls"),
    "/1.xls": errorPage,
    "/2.xls": { body: xls("good") },
    "/3.xls": { body: "" },
  });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.xls" }));
  await expect(landing.run()).rejects.toMatchObject({
    message: expect.stringMatching(
      /2 files were refused, 1 new landed\.\n {2}http:\S+\/1\.xls: .*\n {2}http:\S+\/3\.xls: it is empty$/,
    ),
    retryable: false,
  });
});

test("a refused version leaves the one before as the newest", async () => {
  await using publisher = await startPublisher({ "/": linksTo("1.xls"), "/1.xls": { body: xls("good") } });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.xls" }));
  await landing.run();
  publisher.site.set("/1.xls", errorPage);
  await expect(landing.run()).rejects.toMatchObject({ code: "FILE_REFUSED" });
  expect(await landing.newest()).toMatchObject([{ version: 1 }]);
});

test("what a name does not promise is not looked for", async () => {
  const page = "<html><body>a table</body></html>";
  await using publisher = await startPublisher({
    "/": linksTo("a.html", "b.xls", "c.json", "d.bin", "e.xlsx", "f.xls", "g.txt"),
    "/a.html": { body: page },
    "/b.xls": { body: zip("an .xlsx under an old name") },
    "/c.json": { body: '{"a":1}' },
    "/d.bin": { body: Buffer.from([1, 2, 3]) },
    "/e.xlsx": { body: xls("protected by a password") },
    "/f.xls": { body: '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>' },
    "/g.txt": { body: "<note>xml</note>" },
  });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.*" }));
  expect((await landing.run()).counts.landed).toBe(7);
});

test("a publisher that is down is not asked for every file that it has", async () => {
  await using publisher = await startPublisher({
    "/": linksTo(...Array.from({ length: 10 }, (_, index) => `${index}.csv`)),
    "/0.csv": { body: "a\n" },
    ...Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [`/${index + 1}.csv`, { body: "busy", status: 500 }]),
    ),
  });
  const landing = openFilesLanding(
    oneStream({ page: publisher.origin, match: "*.csv" }, { retry: { tries: 1 } }),
  );
  await expect(landing.run()).rejects.toMatchObject({ code: "SOURCE_FAILED", details: { status: 500 } });
  expect(publisher.asked()).toEqual(["/", "/0.csv", "/1.csv", "/2.csv", "/3.csv"]);
  expect(await landing.newest()).toHaveLength(1);
});

test("a long file that breaks off is begun again, and landed once", async () => {
  const body = Buffer.concat([xls("long"), Buffer.alloc(9 * 1024 * 1024, "x")]);
  let tries = 0;
  await using publisher = await startPublisher({
    "/": linksTo("1.xls"),
    "/1.xls": (_request, response) => {
      response.writeHead(200, { "content-length": String(body.length) });
      tries++;
      response.write(tries > 1 ? body : body.subarray(0, body.length - 1000), () =>
        tries > 1 ? response.end() : response.destroy(),
      );
    },
  });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.xls" }));
  await landing.run();
  expect(tries).toBe(2);
  const [file] = await landing.newest();
  expect(file).toMatchObject({ bytes: body.length, version: 1 });
  expect((await landing.read(file!)).equals(body)).toBe(true);
});
