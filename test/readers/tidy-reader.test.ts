/** What a reader hands over of a file: rows on the disk, a report, or an error that tells where to look. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { csv, json } from "../../src/readers/tables/table-declaration.ts";
import { workbook } from "../../src/workbook/workbook.ts";
import { makeXlsx, makeZip } from "./make-zip.ts";
import { dataFolder, refusal } from "./read-cells.ts";
import { areas, calm, withJob, withReader } from "./with-job.ts";

describe("rows", () => {
  test("are complete on the disk, their keys in the order of the declaration", async () => {
    await withReader({}, (reader) =>
      withJob("Code,Deaths,Name\nE1,315,Bath\nE2,,York\n", areas, async (job, folder) => {
        const result = await reader.read(job, calm);
        expect(result).toEqual({
          rowCount: 2,
          report: { format: "csv", columns: { Deaths: 2, Code: 1 }, ignored: ["Name"], blankLines: 0 },
        });
        expect(readFileSync(job.rowsPath, "utf8")).toBe(
          '{"deaths":"315","code":"E1"}\n{"deaths":null,"code":"E2"}\n',
        );
        expect(readdirSync(folder).sort()).toEqual(["file", "rows.ndjson"]);
      }),
    );
  });

  test("of a workbook come by its layout", async () => {
    const declaration = workbook({
      sheets: ["Figures for {year}"],
      columns: {
        geo_code: {
          header: ["Area codes", "Area code"],
          values: /^[A-Z]\d{8}$/,
          take: "first",
          separator: /,\s*/,
        },
        month: { heading: 1, kind: "month" },
        deaths: { figure: true, kind: "integer" },
      },
    });
    const content = readFileSync(join(dataFolder, "ons-monthly-deaths/2018.xls"));
    const read = withReader({}, (reader) =>
      withJob(
        content,
        declaration,
        async (job) => {
          const result = await reader.read({ ...job, fields: { year: "2018" } }, calm);
          const rows = readFileSync(job.rowsPath, "utf8").trimEnd().split("\n");
          return { count: result.rowCount, rows };
        },
        "2018.xls",
      ),
    );
    const { count, rows } = await read;
    expect(rows).toHaveLength(count);
    expect(rows).toContain('{"geo_code":"E08000007","month":"2018-01","deaths":315}');
  });

  test("of an archive come member by member, in the order of their names", async () => {
    const content = makeZip([
      { name: "data/2019.csv", content: "Code,Deaths\nE1,2\n" },
      { name: "data/2018.csv", content: "Code,Deaths\nE1,1\n" },
      { name: "__MACOSX/data/._2018.csv", content: "\0\0" },
      { name: "readme.txt", content: "about" },
    ]);
    const declaration = csv({ columns: { code: "Code", deaths: "Deaths" }, members: "*.csv" });
    await withReader({}, (reader) =>
      withJob(
        content,
        declaration,
        async (job, folder) => {
          const { rowCount, report } = await reader.read(job, calm);
          expect(rowCount).toBe(2);
          expect(Object.keys(report["members"] as object)).toEqual(["data/2018.csv", "data/2019.csv"]);
          expect(readFileSync(job.rowsPath, "utf8")).toBe(
            '{"code":"E1","deaths":"1"}\n{"code":"E1","deaths":"2"}\n',
          );
          expect(readdirSync(folder).sort()).toEqual(["file", "rows.ndjson"]);
        },
        "years.zip",
      ),
    );
  });
});

describe("a workbook's declaration says how its bytes are read", () => {
  const columns = {
    area: { header: "Area" },
    deaths: { header: "Deaths", kind: "integer" },
  } as const;

  test("as text in another encoding, with titles above and notes below", async () => {
    const text = "Deaths by area; caf\xe9s too\n\nArea;Deaths\nBath\x92s;3\nYork;4\n\nSource: an office\n";
    const declaration = workbook({ columns, text: { encoding: "windows-1252", delimiter: ";" } });
    await withReader({}, (reader) =>
      withJob(Buffer.from(text, "latin1"), declaration, async (job) => {
        expect((await reader.read(job, calm)).rowCount).toBe(2);
        expect(readFileSync(job.rowsPath, "utf8")).toContain('{"area":"Bath’s","deaths":3}');
      }),
    );
  });

  test("as members of an archive", async () => {
    const rows = (area: string, deaths: number): string =>
      `<row><c t="str"><v>Area</v></c><c t="str"><v>Deaths</v></c></row><row><c t="str"><v>${area}</v></c><c><v>${deaths}</v></c></row>`;
    const content = makeZip([
      { name: "north.xlsx", content: makeXlsx({ rows: rows("York", 4) }) },
      { name: "south.xlsx", content: makeXlsx({ rows: rows("Bath", 3) }) },
    ]);
    await withReader({}, (reader) =>
      withJob(
        content,
        workbook({ columns, members: "*.xlsx" }),
        async (job) => {
          expect((await reader.read(job, calm)).rowCount).toBe(2);
          expect(readFileSync(job.rowsPath, "utf8")).toBe(
            '{"area":"York","deaths":4}\n{"area":"Bath","deaths":3}\n',
          );
        },
        "areas.zip",
      ),
    );
  });
});

describe("errors", () => {
  test("cross with code, place and hint, leave nothing behind, and the next file is read", async () => {
    await withReader({ processesMax: 1 }, async (reader) => {
      await withJob("Code;Death\nE1;1\n", areas, async (job, folder) => {
        const error = await refusal(reader.read(job, calm));
        expect(error).toMatchObject({
          code: "FILE_COLUMN_MISSING",
          message: 'deaths.csv: It has no column "Deaths".',
          hint: 'Did you mean "Death"? Known columns: Code, Death.',
          retryable: false,
          details: { file: "deaths.csv", column: "Deaths" },
        });
        expect(readdirSync(folder)).toEqual(["file"]);
      });
      await withJob("Code,Deaths\nE1,1\n", areas, async (job) => {
        expect((await reader.read(job, calm)).rowCount).toBe(1);
      });
    });
  });

  test("of a member name the archive and the member", async () => {
    const content = makeZip([
      { name: "2018.csv", content: "Code,Deaths\nE1,1\n" },
      { name: "2019.csv", content: "Code\nE1\n" },
    ]);
    await withReader({}, async (reader) => {
      const read = (members: string): Promise<unknown> =>
        withJob(
          content,
          csv({ columns: { deaths: "Deaths" }, members }),
          (job) => reader.read(job, calm),
          "y.zip",
        );
      expect((await refusal(read("*.csv"))).message).toContain("y.zip/2019.csv: It has no column");
      const none = await refusal(read("*.xlsx"));
      expect(none.code).toBe("FILE_MEMBER_MISSING");
      expect(none.hint).toContain("2018.csv, 2019.csv");
    });
  });

  test("keep their causes", async () => {
    await withReader({}, (reader) =>
      withJob("[1", json({ columns: { a: "a" } }), async (job) => {
        const error = await refusal(reader.read(job, calm));
        expect(error.cause).toBeInstanceOf(Error);
        expect((error.cause as Error).message).toMatch(/JSON/);
      }),
    );
  });
});

test("a job's rows may be written over those of an earlier one", async () => {
  await withReader({}, (reader) =>
    withJob("Code,Deaths\nE1,1\n", areas, async (job) => {
      writeFileSync(job.rowsPath, "old\nold\nold\n".repeat(100));
      await reader.read(job, calm);
      expect(readFileSync(job.rowsPath, "utf8")).toBe('{"deaths":"1","code":"E1"}\n');
    }),
  );
});
