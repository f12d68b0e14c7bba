/** The process in which files are read: what it hands over, and every way in which it may end. */
import { fork, spawn } from "node:child_process";
import { on, once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TidyDeclaration, TidyJob, TidyReader } from "../../src/ports/tidy.ts";
import { readMemory } from "../../src/readers/child/process-memory.ts";
import { ReaderChild } from "../../src/readers/child/reader-child.ts";
import { openTidyReader, type TidyReaderOptions } from "../../src/readers/open-tidy-reader.ts";
import { csv, json, ndjson } from "../../src/readers/tables/table-declaration.ts";
import { workbook } from "../../src/workbook/workbook.ts";
import { makeXlsx, makeZip } from "./make-zip.ts";
import { dataFolder, refusal } from "./read-cells.ts";
import { withFile } from "./with-file.ts";

const areas = csv({ columns: { deaths: "Deaths", code: "Code" } });
const calm = new AbortController().signal;

/** Jobs over a file's content, in a folder of their own. */
async function withJob<Result>(
  content: string | Uint8Array,
  declaration: TidyDeclaration,
  work: (job: TidyJob, folder: string) => Promise<Result>,
  name = "deaths.csv",
): Promise<Result> {
  return withFile(content, (path, folder) =>
    work({ path, name, fields: {}, declaration, rowsPath: join(folder, "rows.ndjson") }, folder),
  );
}

/** A reader for one test. */
async function withReader<Result>(
  options: TidyReaderOptions,
  work: (reader: TidyReader) => Promise<Result>,
): Promise<Result> {
  await using reader = openTidyReader(options);
  return await work(reader);
}

/** A document that takes some hundred times its size in memory. */
const hungry = (): string => `[${"{},".repeat(12_000_000)}{}]`;

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

describe("a process that takes too much is ended, and its owner lives", () => {
  test("memory", async () => {
    const before = process.memoryUsage.rss();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 20);
    const content = Buffer.from(hungry());
    await withReader({ memoryBytesMax: 300 * 2 ** 20 }, (reader) =>
      withJob(content, json({ columns: { a: "a" } }), async (job, folder) => {
        const error = await refusal(reader.read(job, calm));
        expect(error.code).toBe("FILE_NEEDS_MEMORY");
        expect(error.message).toContain("deaths.csv: Reading took more than 314572800 bytes of memory");
        expect(error.hint).toContain("memoryBytesMax");
        expect(readdirSync(folder)).toEqual(["file"]);
      }),
    );
    clearInterval(watch);
    expect(most - before - content.length).toBeLessThan(100 * 2 ** 20); // The document itself is made here.
  });

  test("a bomb is refused while the owner's memory stays flat", async () => {
    const sheet = Buffer.alloc(200_000_000, " ");
    const content = makeXlsx({ sheet });
    const before = process.memoryUsage.rss();
    await withReader({}, (reader) =>
      withJob(
        content,
        workbook({ columns: { a: { letter: "A" } }, header: "none" }),
        async (job) => {
          expect((await refusal(reader.read(job, calm))).code).toBe("WORKBOOK_BOMB");
        },
        "bomb.xlsx",
      ),
    );
    expect(process.memoryUsage.rss() - before).toBeLessThan(50 * 2 ** 20);
  });

  test("time", async () => {
    await withReader({ timeoutMs: 1 }, (reader) =>
      withJob("Code,Deaths\nE1,1\n", areas, async (job) => {
        const error = await refusal(reader.read(job, calm));
        expect(error).toMatchObject({ code: "FILE_NEEDS_TIME", retryable: true });
        expect(error.message).toBe("deaths.csv: Reading took longer than 1 ms; the process was ended.");
      }),
    );
  });
});

describe("a process that ends by itself", () => {
  const limits = { memoryBytesMax: 2 ** 31, timeoutMs: 60_000 };

  test("killed by another is an error with the file's name", async () => {
    await withJob(hungry(), json({ columns: { a: "a" } }), async (job) => {
      const child = new ReaderChild(limits);
      const outcome = refusal(child.read(job, calm));
      process.kill(child.pid!, "SIGKILL");
      const error = await outcome;
      expect(error).toMatchObject({ code: "FILE_READER_DIED", retryable: true });
      expect(error.message).toBe(
        "deaths.csv: The process that read it was ended by the system, perhaps for want of memory.",
      );
      expect(child.isOver).toBe(true);
    });
  });

  test("with a full heap is told as want of memory", async () => {
    // The heap's bound is set by the limit; what is watched from outside is set far above it.
    const content = hungry();
    await withJob(content, json({ columns: { a: "a" } }), async (job) => {
      const child = new ReaderChild({ memoryBytesMax: 2 ** 31, timeoutMs: 60_000 }, 64);
      expect((await refusal(child.read(job, calm))).code).toBe("FILE_NEEDS_MEMORY");
    });
  });

  test("while it is idle is replaced", async () => {
    await withReader({ processesMax: 1 }, async (reader) => {
      const read = (): Promise<unknown> =>
        withJob("Code,Deaths\nE1,1\n", areas, (job) => reader.read(job, calm));
      await read();
      const [child] = childrenOf(process.pid);
      process.kill(child!, "SIGKILL");
      await gone(child!);
      await read();
    });
  });
});

describe("a stopped reading", () => {
  test("ends its process and throws the signal's reason", async () => {
    const controller = new AbortController();
    await withReader({}, (reader) =>
      withJob(hungry(), json({ columns: { a: "a" } }), async (job, folder) => {
        const reading = reader.read(job, controller.signal);
        controller.abort(new Error("enough"));
        await expect(reading).rejects.toThrow("enough");
        expect(readdirSync(folder)).toEqual(["file"]);
      }),
    );
  });

  test("that waits for a process leaves the queue, and the others are read", async () => {
    const controller = new AbortController();
    await withReader({ processesMax: 1 }, async (reader) => {
      const read = (signal: AbortSignal): Promise<unknown> =>
        withJob("Code,Deaths\nE1,1\n", areas, (job) => reader.read(job, signal));
      const readings = [read(calm), read(controller.signal), read(calm)];
      controller.abort(new Error("enough"));
      const outcomes = await Promise.allSettled(readings);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    });
  });
});

describe("the process", () => {
  test("knows nothing of its owner's environment", async () => {
    await withJob("Code,Deaths\nE1,1\n", areas, async (job) => {
      const child = new ReaderChild({ memoryBytesMax: 2 ** 31, timeoutMs: 60_000 });
      await child.read(job, calm);
      const names = readFileSync(`/proc/${child.pid}/environ`, "latin1")
        .split("\0")
        .map((entry) => entry.split("=")[0]);
      child.close();
      // Node itself tells its child where the pipe between them is.
      expect(names.filter((name) => name !== "" && !name!.startsWith("NODE_CHANNEL"))).toEqual([]);
    });
  });

  test("tells its memory where nobody else can", async () => {
    const lines = '{"a":1}\n'.repeat(500_000);
    await withJob(lines, ndjson({ columns: { a: "a" } }), async (job) => {
      const entry = join(import.meta.dirname, "../../src/readers/child/child-main.ts");
      const child = fork(entry, { stdio: "inherit", env: {} });
      child.send({ job, reportsMemory: true });
      const kinds = new Set<string>();
      for await (const [reply] of on(child, "message", { close: ["exit"] })) {
        const { kind, bytes } = reply as { kind: string; bytes?: number }; // Its two kinds of reply.
        kinds.add(kind);
        if (kind === "memory") expect(bytes).toBeGreaterThan(20 * 2 ** 20);
        if (kind === "done") child.kill("SIGKILL");
      }
      expect([...kinds]).toEqual(["memory", "done"]);
    });
  });

  test("reads many small files, and there are never more than declared", async () => {
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, childrenOf(process.pid).length);
    }, 5);
    await withReader({ processesMax: 2 }, (reader) =>
      Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          withJob(`Code,Deaths\nE${index},1\n`, areas, async (job) => {
            await reader.read(job, calm);
            expect(readFileSync(job.rowsPath, "utf8")).toContain(`"E${index}"`);
          }),
        ),
      ),
    );
    clearInterval(watch);
    expect(most).toBe(2);
  });

  test("ends when its owner is killed", async () => {
    const owner = spawn(process.execPath, [join(import.meta.dirname, "owner-process.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(owner.stdout, "data")) as [Buffer]; // The script prints the number of its child.
    const child = Number(line.toString());
    expect(readMemory(child)).toBeGreaterThan(0);
    owner.kill("SIGKILL");
    await gone(child);
  });
});

/** Processes that this one has started. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  return text.split(" ").flatMap((part) => {
    const child = Number(part);
    const isReader = part !== "" && existsSync(`/proc/${child}/cmdline`) && isReaderProcess(child);
    return isReader ? [child] : [];
  });
}

function isReaderProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1")
      .split("\0")
      .some((part) => basename(part) === "child-main.ts");
  } catch {
    return false; // It has ended meanwhile.
  }
}

/** When a process is no more. */
async function gone(pid: number): Promise<void> {
  while (readMemory(pid) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a job's rows may be written over those of an earlier one", async () => {
  await withReader({}, (reader) =>
    withJob("Code,Deaths\nE1,1\n", areas, async (job) => {
      writeFileSync(job.rowsPath, "old\nold\nold\n".repeat(100));
      await reader.read(job, calm);
      expect(readFileSync(job.rowsPath, "utf8")).toBe('{"deaths":"1","code":"E1"}\n');
    }),
  );
});
