/** HTTP → NDJSON: leat beside draining the socket and beside what one would write by hand. Interleaved runs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobResult, median, runScript, startServer } from "./processes.ts";

const ways = ["drain", "stringify", "leat", "leat-zstd"] as const;

export type ExtractBench = Readonly<{
  /** Medians: records a second by way, for identity and gzip answers. */
  rates: Readonly<Record<"identity" | "gzip", Readonly<Record<(typeof ways)[number], number>>>>;
  /** A single answer of a gigabyte. */
  single: Readonly<{ bytes: number; recordsPerSecond: number; peakMb: number }>;
}>;

/** Measures; `runs` interleaved runs of each way over `pages` pages of 1,000 records, each in a new process. */
export async function benchExtract(options: {
  pages: number;
  runs: number;
  singleBytes: number;
}): Promise<ExtractBench> {
  const server = await startServer("record-server.ts", [String(options.pages * 1000), "gzip"]);
  const folder = await mkdtemp(join(tmpdir(), "leat-bench-"));
  const run = async (way: string, amount: number, packed: boolean): Promise<JobResult> => {
    const args = [way, server.url, String(amount), join(folder, "run"), packed ? "gzip" : "identity"];
    const result = await runScript("extract-job.ts", args);
    await rm(join(folder, "run"), { recursive: true, force: true });
    return result;
  };
  try {
    const rates: Record<string, Record<string, number>> = {};
    for (const encoding of ["identity", "gzip"]) {
      const seen: Record<string, number[]> = {};
      for (let turn = 0; turn < options.runs; turn++) {
        for (const way of ways) {
          const { records = 0, seconds = 1 } = await run(way, options.pages, encoding === "gzip");
          if (records !== options.pages * 1000) throw new Error(`${way} has ${records} records`);
          seen[way] = [...(seen[way] ?? []), records / seconds];
        }
      }
      rates[encoding] = Object.fromEntries(
        Object.entries(seen).map(([way, values]) => [way, median(values)]),
      );
    }
    const single = await run("leat-all", options.singleBytes, false);
    return {
      rates: rates as ExtractBench["rates"], // Built from the same names.
      single: {
        bytes: options.singleBytes,
        recordsPerSecond: (single["records"] ?? 0) / (single["seconds"] ?? 1),
        peakMb: single["peakMb"] ?? Number.NaN,
      },
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main)
  console.log(JSON.stringify(await benchExtract({ pages: 200, runs: 5, singleBytes: 1e9 }), null, 1));
