/** The process in which files are read, and every way in which it may end. */
import { fork, spawn } from "node:child_process";
import { on, once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readMemory } from "../../src/readers/child/process-memory.ts";
import { ReaderChild } from "../../src/readers/child/reader-child.ts";
import { json, ndjson } from "../../src/readers/tables/table-declaration.ts";
import { workbook } from "../../src/workbook/workbook.ts";
import { makeXlsx } from "./make-zip.ts";
import { refusal } from "./read-cells.ts";
import { areas, calm, hungry, withJob, withReader } from "./with-job.ts";

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
