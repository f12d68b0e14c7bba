/** A project of files under each command: from a folder and a page to rows, and to the bytes they tell of. */
import { readFileSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, type TestFolder } from "../../cli/leat-process.ts";
import { type CommandHost, openHost } from "../../e2e/open-host.ts";
import { linksTo, type Publisher, startPublisher, xls } from "./publisher.ts";

let folder: TestFolder;
let host: CommandHost;
let publisher: Publisher;
const longAgo = new Date("2024-01-02T03:04:05Z");

/** Puts a file into the folder that is read, as old as it looks. */
function put(name: string, text: string): void {
  folder.write(`incoming/${name}`, text);
  utimesSync(join(folder.path, "incoming", name), longAgo, new Date(longAgo.getTime() + text.length * 1000));
}

const leat = (...args: string[]) => host.run(args, folder.path, { HOME: folder.path });
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await leat(...args, "--json", "--quiet");
  return { code, stderr, value: JSON.parse(stdout) };
};
const query = async (sql: string) => (await json("query", sql)).value;

beforeAll(async () => {
  publisher = await startPublisher({
    "/": linksTo("2018.xls", "2019.xls"),
    "/2018.xls": { body: xls("2018"), validators: "both" },
    "/2019.xls": { body: xls("2019"), validators: "both" },
  });
  host = openHost();
  folder = makeFolder();
  folder.write(
    "leat.config.ts",
    `import { defineProject, files } from "leat";
     export default defineProject({
       name: "deaths",
       sources: [
         files({ name: "office", streams: { workbooks: { page: "${publisher.origin}", match: "{year}.xls" } } }),
         files({ name: "desk", streams: { tables: { folder: "incoming", match: "**/{area}-{year}.csv" } } }),
       ],
     });`,
  );
  put("wales-2018.csv", "a,b\n1,2\n");
  put("deep/kent-2019.csv", "a,b\n3,4\n");
});
afterAll(async () => {
  await host.close();
  folder.remove();
  await publisher[Symbol.asyncDispose]();
});

describe("a project of files", () => {
  test("is found in order by check, which asks nobody", async () => {
    expect(await json("check")).toMatchObject({ code: 0, value: { ok: true, problems: [] } });
    expect(publisher.asked()).toEqual([]);
  });

  test("is synced: a row for each file, and its bytes in the landing", async () => {
    const { code, value } = await json("sync");
    expect({ code, ...value }).toMatchObject({
      code: 0,
      results: [
        {
          stream: "workbooks",
          status: "committed",
          counts: { landed: 2 },
          missing_files: 0,
          load: { loaded: 2 },
        },
        { stream: "tables", status: "committed", counts: { landed: 2 }, load: { loaded: 2 } },
      ],
    });
    const rows = await query(
      "select name, fields->>'year' as year, bytes, object_key from office.workbooks order by name",
    );
    expect(rows).toMatchObject([
      { name: "2018.xls", year: "2018", bytes: xls("").length },
      { name: "2019.xls", year: "2019" },
    ]);
    const landed = readFileSync(join(folder.path, ".leat/landing", rows[1].object_key));
    expect(landed.equals(xls("2019"))).toBe(true);
    const types = await query(
      "select column_name, data_type from information_schema.columns where table_schema = 'office' and table_name = 'workbooks'",
    );
    expect(types).toEqual(
      expect.arrayContaining([
        { column_name: "fetched_at", data_type: "TIMESTAMP WITH TIME ZONE" },
        { column_name: "etag", data_type: "VARCHAR" },
        { column_name: "fields", data_type: "JSON" },
      ]),
    );
  });

  test("that has not changed costs its publisher two words and no bytes", async () => {
    publisher.asked();
    const { value } = await json("sync");
    expect(value.results).toMatchObject([
      { status: "unchanged", received_bytes: 0, packages: [] },
      { status: "unchanged", received_bytes: 0, packages: [] },
    ]);
    expect(publisher.asked()).toEqual(["/", "/2018.xls", "/2019.xls"]);
  });

  test("whose files change has the newest in one view and all in the other", async () => {
    publisher.site.set("/2019.xls", { body: xls("2019 revised"), validators: "both" });
    put("wales-2018.csv", "a,b\n1,2\n5,6\n");
    expect((await json("sync")).code).toBe(0);
    expect(await query("select name, version from office.workbooks order by name")).toEqual([
      { name: "2018.xls", version: 1 },
      { name: "2019.xls", version: 2 },
    ]);
    expect(
      await query(
        "select version, valid_to is null as is_newest from desk.tables_history where file = 'wales-2018.csv' order by version",
      ),
    ).toEqual([
      { version: 1, is_newest: false },
      { version: 2, is_newest: true },
    ]);
  });

  test("tells how many files it stands at", async () => {
    const { value } = await json("state", "show");
    expect(value).toMatchObject([
      { stream: "workbooks", files: 2, seq: 2, cursor: null },
      { stream: "tables", files: 2, seq: 2 },
    ]);
    expect((await leat("state", "show")).stdout).toContain("2 files");
  });

  test("lands what is right when something is refused, and exits with 1", async () => {
    put("york-2020.csv", "a,b\n7,8\n");
    put("hull-2020.csv", '{"error":"not ready"}');
    const { code, value } = await json("sync", "desk");
    expect({ code, ...value.results[0] }).toMatchObject({
      code: 1,
      ok: false,
      status: "extract-failed",
      error: { code: "FILE_REFUSED", details: { landed: 1, refused: [{ id: "hull-2020.csv" }] } },
      load: { loaded: 1 },
    });
    rmSync(join(folder.path, "incoming/hull-2020.csv"));
    expect((await json("sync", "desk")).value.results).toMatchObject([
      { status: "unchanged", missing_files: 0 },
    ]);
  });

  test("has no full refresh", async () => {
    const { code, stderr } = await leat("sync", "desk", "--full-refresh");
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("leat state reset") });
  });

  test("is set back, and fetches everything again", async () => {
    expect((await json("state", "reset", "office.workbooks")).code).toBe(0);
    publisher.asked();
    expect((await json("sync", "office")).value.results).toMatchObject([
      {
        status: "committed",
        counts: { landed: 0 },
        received_bytes: xls("2018").length + xls("2019 revised").length,
      },
    ]);
  });

  test("is verified to the last byte, is rebuilt equal, and leaves nothing to collect", async () => {
    expect(await json("verify")).toMatchObject({ code: 0, value: { ok: true } });
    const rows = "select * from office.workbooks_history order by file, version";
    const before = await query(rows);
    expect((await json("rebuild")).code).toBe(0);
    expect(await query(rows)).toEqual(before);
    expect((await leat("gc")).stdout).toContain("Deleted 0 landed files");
    expect(await json("verify")).toMatchObject({ code: 0, value: { ok: true } });
  });
});
