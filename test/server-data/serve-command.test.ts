import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/steps.ts";
import { deathsCsv, startServe } from "../browser/open-served-deaths.ts";
import { smallBook } from "./small-book.ts";

const run = promisify(execFile);
const leat = join(root, "bin/leat.js");

type Ended = Readonly<{ code: number; stdout: string; stderr: string }>;

async function runLeat(args: readonly string[], cwd: string): Promise<Ended> {
  try {
    return { code: 0, ...(await run(process.execPath, [leat, ...args], { cwd })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended; // Of `execFile`, when a program ends badly.
    return { code, stdout, stderr };
  }
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "leat-serve-command-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rowsOf = async (url: string, name: string): Promise<Record<string, unknown>[]> =>
  ((await (await fetch(`${url}/datasets/${name}/rows`)).json()) as { rows: Record<string, unknown>[] }).rows;

describe("leat serve <file>", () => {
  test("gives columns of text the first type that all values look like", async () => {
    const text =
      'code,name,n,x,long,day,at,ok,blank\n007,"a, ""b""",1,1.5,12345678901234567890.123,2020-02-29,2020-01-01T05:00:00Z,true,\n008,,-2,2e3,1.5,2020-03-01,2020-01-01T06:30:00+02:00,false,\n';
    await using served = await startServe({ name: "mixed.csv", text });
    expect(await rowsOf(served.url, "mixed")).toEqual([
      {
        code: "007",
        name: 'a, "b"',
        n: 1,
        x: 1.5,
        long: expect.anything(),
        day: "2020-02-29",
        at: "2020-01-01T05:00:00Z",
        ok: true,
        blank: null,
      },
      {
        code: "008",
        name: null,
        n: -2,
        x: 2000,
        long: expect.anything(),
        day: "2020-03-01",
        at: "2020-01-01T04:30:00Z",
        ok: false,
        blank: null,
      },
    ]);
    const exact = await (await fetch(`${served.url}/datasets/mixed/rows.csv?columns=long`)).text();
    expect(exact.split(/\r?\n/).slice(1, 3)).toEqual(["12345678901234567890.123", "1.500"]);
  });

  test("keeps strings of JSON strings, and nested values nested", async () => {
    const text =
      '{"id":1,"s":"5","a":{"b":[1,2]},"d":"2020-01-01"}\n{"id":2,"s":"x","a":"text","extra":true}\n';
    await using served = await startServe({ name: "lines.ndjson", text });
    expect(await rowsOf(served.url, "lines")).toEqual([
      { id: 1, s: "5", a: { b: [1, 2] }, d: "2020-01-01", extra: null },
      { id: 2, s: "x", a: "text", d: null, extra: true },
    ]);
  });

  test.each([
    ["numbers.ndjson", (rows: readonly string[]) => `${rows.join("\n")}\n`],
    ["numbers.json", (rows: readonly string[]) => `[${rows.join(",\n")}]`],
  ])("keeps every digit of numbers in %s", async (name, join) => {
    const text = join([
      '{"id":9007199254740993,"big":123456789012345678901234567890,"mixed":9007199254740993,"long":12345678901234567.891,"in":{"n":12345678901234567890123,"x":0.12345678901234567891}}',
      '{"id":-9223372036854775808,"big":1,"mixed":1.5,"long":0.1,"in":{"n":1,"x":0.5}}',
    ]);
    await using served = await startServe({ name, text });
    expect(await rowsOf(served.url, "numbers")).toEqual([
      {
        id: "9007199254740993",
        big: "123456789012345678901234567890",
        mixed: "9007199254740993.0",
        long: "12345678901234567.891",
        in: { n: "12345678901234567890123", x: "0.12345678901234567891" },
      },
      { id: "-9223372036854775808", big: "1", mixed: "1.5", long: "0.1", in: { n: 1, x: 0.5 } },
    ]);
    const found = await fetch(`${served.url}/datasets/numbers/rows?id=9007199254740993`);
    expect(((await found.json()) as { total: number }).total).toBe(1);
    const none = await fetch(`${served.url}/datasets/numbers/rows?id=9007199254740992`);
    expect(((await none.json()) as { total: number }).total).toBe(0);
  });

  test("keeps every digit of whole numbers in CSV", async () => {
    const text = "id,big\n9007199254740993,123456789012345678901234567890\n1,2\n";
    await using served = await startServe({ name: "numbers.csv", text });
    const csv = await (await fetch(`${served.url}/datasets/numbers/rows.csv`)).text();
    expect(csv).toBe(text.replaceAll("\n", "\r\n"));
  });

  test("serves a sheet of an .xlsx, as its figures and dates are", async () => {
    await using served = await startServe({ name: "book.xlsx", bytes: smallBook() });
    expect(await rowsOf(served.url, "book")).toEqual([
      { area: "E1", day: "2018-01-31", deaths: 315 },
      { area: "E2", day: "2018-02-28", deaths: 7 },
    ]);
    await using notes = await startServe({ name: "book.xlsx", bytes: smallBook() }, ["--sheet", "Notes"]);
    expect(await rowsOf(notes.url, "book")).toEqual([{ note: "made up", by: "nobody" }]);
  });

  test.each([
    ['日本 "x"; y.csv', '日本 "x"; y'],
    ["x.csv.csv", "x_csv"],
  ])("serves a file called %s at addresses and under names that every client takes", async (name, dataset) => {
    await using served = await startServe({ name, text: "a\n1\n" });
    const path = `/datasets/${encodeURIComponent(dataset)}`;
    for (const place of ["", "/rows", "/rows.csv", "/export.parquet", "/parts/part-00001.parquet"]) {
      const answer = await fetch(served.url + path + place);
      expect(answer.status, place).toBe(200);
      expect(answer.headers.get("content-disposition") ?? "").toMatch(
        /^(attachment; filename="[A-Za-z0-9_.-]+")?$/,
      );
      await answer.arrayBuffer();
    }
  });

  test("says which sheets there are where the one that is named is not", async () => {
    await writeFile(join(folder, "book.xlsx"), smallBook());
    const { code, stderr } = await runLeat(
      ["serve", "book.xlsx", "--sheet", "Figure", "--port", "0"],
      folder,
    );
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/no sheet "Figure"[\s\S]*Figures/);
  });

  test("reads a file that changes again, and keeps the old rows while the new ones cannot be read", {
    timeout: 90_000,
  }, async () => {
    await using served = await startServe({ name: "some.csv", text: "a\n1\n2\n" }, ["--refresh", "1"]);
    const path = join(served.folder, "some.csv");
    const values = async (): Promise<unknown[]> => (await rowsOf(served.url, "some")).map(({ a }) => a);
    expect(await values()).toEqual([1, 2]);
    const { version } = (await (await fetch(`${served.url}/datasets/some`)).json()) as { version: string };
    await writeFile(path, "a\n3\n4\n5\n");
    await expect.poll(values, { timeout: 30_000 }).toEqual([3, 4, 5]);
    // Whoever pages through the old rows still can.
    const old = await fetch(`${served.url}/v/${version}/datasets/some/rows`);
    expect(((await old.json()) as { rows: { a: number }[] }).rows.map(({ a }) => a)).toEqual([1, 2]);
    await writeFile(path, "");
    await expect
      .poll(() => served.lines.filter((line) => line.includes("It is empty")).length, { timeout: 30_000 })
      .toBeGreaterThan(0);
    expect(await values()).toEqual([3, 4, 5]);
    expect(await (await fetch(`${served.url}/ready`)).text()).toContain('"newestIsRefused":true');
    await rm(path);
    await writeFile(path, "a\nx\n");
    await expect.poll(values, { timeout: 30_000 }).toEqual(["x"]);
  });

  test("finds the table of a workbook, or takes the sheet that is named", async () => {
    const from = join(root, "examples/ons-deaths/workbooks/2018.xls");
    await using served = await startServe({ name: "2018.xls", from });
    const [first] = await rowsOf(served.url, "2018");
    expect(first).toMatchObject({ "Mar-18": 51229 });
    await using contents = await startServe({ name: "2018.xls", from }, ["--sheet", "Contents"]);
    expect((await rowsOf(contents.url, "2018")).length).toBe(4);
  });

  test("serves Parquet with the types it has", async () => {
    await using csv = await startServe({ name: "deaths.csv", text: deathsCsv(2) });
    const parquet = Buffer.from(
      await (await fetch(`${csv.url}/datasets/deaths/export.parquet`)).arrayBuffer(),
    );
    const path = join(folder, "again.parquet");
    await writeFile(path, parquet);
    await using again = await startServe({ name: "again.parquet", from: path });
    expect(await rowsOf(again.url, "again")).toEqual(await rowsOf(csv.url, "deaths"));
  });

  test.each([
    ["nothing.csv", undefined, "no such file"],
    ["notes.txt", "a", "can be served"],
    ["broken.parquet", "PAR1 not really", "cannot be read as parquet"],
    ["empty.csv", "", "It is empty"],
    ["list.json", "[1, 2]", "no objects"],
    ["fake.xlsx", "<html>", "web page"],
  ])("refuses %s, saying why", async (name, text, why) => {
    if (text !== undefined) await writeFile(join(folder, name), text);
    const { code, stderr } = await runLeat(["serve", name, "--port", "0"], folder);
    expect(code).not.toBe(0);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain("    at ");
  });
});

describe("leat serve", () => {
  test.each([
    [["--port", "x"], "--port"],
    [["--rate", "fast"], "--rate"],
    [["--keys", "maybe"], "--keys"],
    [["--cors", "example.org"], "--cors"],
    [["--trust-proxy", "nobody"], "no proxy"],
  ])("refuses %j", async (args, why) => {
    const { code, stderr } = await runLeat(["serve", "x.csv", ...args], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  test("says when its port is taken", async () => {
    await using served = await startServe({ name: "deaths.csv", text: deathsCsv(1) });
    const { port } = new URL(served.url);
    await writeFile(join(folder, "one.csv"), deathsCsv(1));
    const { code, stderr } = await runLeat(["serve", "one.csv", "--port", port], folder);
    expect(code).toBe(1);
    expect(stderr).toContain("SERVE_FAILED");
  });

  test("stopped by SIGTERM while requests run: all that were taken are answered, exit code 0", async () => {
    await using served = await startServe({ name: "deaths.csv", text: deathsCsv(200) }, ["--no-access-log"]);
    const outcomes = { whole: 0, refused: 0, broken: 0 };
    let isOver = false;
    const asking = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        try {
          const answer = await fetch(`${served.url}/datasets/deaths/rows?limit=2000`);
          const { rows } = (await answer.json()) as { rows: unknown[] };
          if (rows.length === 2000) outcomes.whole++;
          else outcomes.broken++;
        } catch (error) {
          // Connections that were never taken; one that is cut in the middle of an answer says `terminated`.
          if (String(error).includes("terminated")) outcomes.broken++;
          else outcomes.refused++;
          return;
        }
      }
    });
    await expect.poll(() => outcomes.whole, { timeout: 20_000 }).toBeGreaterThan(20);
    const ended = once(served.child, "exit");
    served.child.kill("SIGTERM");
    const [code] = await ended;
    isOver = true;
    await Promise.all(asking);
    expect(code).toBe(0);
    expect(outcomes.broken).toBe(0);
  });

  test("killed outright, the next one serves the same, and removes what the first left", async () => {
    const text = deathsCsv(5);
    const temporary = join(folder, "temporary");
    await mkdir(temporary);
    const left = async (): Promise<readonly string[]> =>
      (await readdir(temporary)).filter((name) => name.startsWith("leat-serve-"));
    const env = { TMPDIR: temporary };
    await using first = await startServe({ name: "deaths.csv", text }, [], env);
    const before = await rowsOf(first.url, "deaths");
    const [firstFolder] = await left();
    // One that runs is nobody's to remove.
    await using other = await startServe({ name: "deaths.csv", text }, [], env);
    expect(await left()).toHaveLength(2);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    expect(await left()).toContain(firstFolder);
    await using second = await startServe({ name: "deaths.csv", text }, [], env);
    expect(await rowsOf(second.url, "deaths")).toEqual(before);
    expect(await rowsOf(other.url, "deaths")).toEqual(before);
    expect(await left()).toHaveLength(2);
    expect(await left()).not.toContain(firstFolder);
  });
});

describe("leat keys", () => {
  test("makes a key, shows it once, lists it without its secret, and revokes it", async () => {
    const project = await mkdtemp(join(tmpdir(), "leat-keys-"));
    try {
      await runLeat(["init", "."], project);
      const made = await runLeat(
        ["keys", "create", "a client", "--expires", "90d", "--rate", "5:10", "--requests-per-day", "100"],
        project,
      );
      expect(made.code).toBe(0);
      const [text = ""] = made.stdout.split("\n");
      expect(text).toMatch(/^leat_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
      const id = text.split("_")[1]!;
      const listed = await runLeat(["keys", "list", "--json"], project);
      expect(listed.stdout).not.toContain(text.slice(18));
      expect(JSON.parse(listed.stdout)).toMatchObject([
        { id, name: "a client", is_valid: true, rate: { per_second: 5, burst: 10 }, requests_per_day: 100 },
      ]);
      expect((await runLeat(["keys", "revoke", id], project)).stdout).toContain("is revoked");
      expect((await runLeat(["keys", "list"], project)).stdout).toContain("revoked");
      const unknown = await runLeat(["keys", "revoke", "000000000000"], project);
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toContain("KEY_UNKNOWN");
      const wrong = await runLeat(["keys", "create", "x", "--expires", "yesterday"], project);
      expect(wrong.code).toBe(2);
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  });
});
