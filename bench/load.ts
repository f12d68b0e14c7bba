/**
 * `node bench/load.ts [ROWS]`: DuckDB loads against the engine's own typed reader of the same files, in turns, each in a
 * process of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type LoadShape, landParts, partRows } from "./load-parts.ts";
import { type JobResult, median, runScript } from "./processes.ts";

/** What is loaded, how often, and where lines go. */
export type LoadBenchOptions = Readonly<{
  /** Rows of the narrow stream, rounded up to whole parts of 100,000; the exact one has a fifth. Default 1,000,000. */
  rows?: number | undefined;
  /** Runs of each way, in turns; the median counts. Default 3. */
  runs?: number | undefined;
  /** Where parts and databases are made and removed again. Default: this folder, on the repository's disk. */
  folder?: string | undefined;
  say?: ((line: string) => void) | undefined;
}>;

/** One stream's figures: medians. `ratio` is plain / leat by time, so that 1 is as fast as the engine itself. */
export type LoadFigures = Readonly<{
  shape: LoadShape;
  rows: number;
  plainSeconds: number;
  leatSeconds: number;
  ratio: number;
  leatRowsPerSecond: number;
  leatPeakMb: number;
  plainPeakMb: number;
}>;

/** Least ratio to the engine's own reader, and most memory, that count as reached. */
const targets = { ratio: 0.7, peakMb: 1024 } as const;

/** Measures loads; prints a line or two for each stream. */
export async function benchLoad(options: LoadBenchOptions = {}): Promise<readonly LoadFigures[]> {
  const { rows = 1_000_000, runs = 3, say = console.log } = options;
  const folder = await mkdtemp(join(options.folder ?? import.meta.dirname, "load-"));
  const figures: LoadFigures[] = [];
  try {
    for (const [shape, count] of [["narrow", rows] as const, ["exact", rows / 5] as const]) {
      const place = join(folder, shape);
      await landParts(place, shape, Math.ceil(count / partRows) * partRows);
      const found = await compare(shape, place, runs);
      await rm(place, { recursive: true });
      figures.push(found);
      for (const line of describe(found)) say(line);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return figures;
}

async function compare(shape: LoadShape, folder: string, runs: number): Promise<LoadFigures> {
  const results: Record<"plain" | "leat", JobResult[]> = { plain: [], leat: [] };
  for (let run = 0; run < runs; run += 1)
    for (const way of run % 2 === 0 ? (["plain", "leat"] as const) : (["leat", "plain"] as const))
      results[way].push(await runScript("load-job.ts", [way, shape, folder]));
  const of = (way: "plain" | "leat", name: string) => median(results[way].map((result) => result[name] ?? 0));
  const [plainSeconds, leatSeconds, rows] = [
    of("plain", "seconds"),
    of("leat", "seconds"),
    of("leat", "rows"),
  ];
  return {
    shape,
    rows,
    plainSeconds,
    leatSeconds,
    ratio: plainSeconds / leatSeconds,
    leatRowsPerSecond: rows / leatSeconds,
    leatPeakMb: of("leat", "peakMb"),
    plainPeakMb: of("plain", "peakMb"),
  };
}

function describe(found: LoadFigures): readonly string[] {
  const { shape, rows, plainSeconds, leatSeconds, ratio, leatRowsPerSecond, leatPeakMb, plainPeakMb } = found;
  const what = shape === "narrow" ? "8 columns" : "8 columns, two of decimals that a double would round";
  const target =
    shape === "narrow" ? ` (target at least ${targets.ratio})` : " (the plain reader rounds them)";
  return [
    `Load of ${rows.toLocaleString("en-US")} rows into DuckDB, ${what}`,
    `  plain read_ndjson ${plainSeconds.toFixed(2)} s, ${Math.round(plainPeakMb)} MB`,
    `  leat ${leatSeconds.toFixed(2)} s, ${Math.round(leatRowsPerSecond).toLocaleString("en-US")} rows/s, ` +
      `${Math.round(leatPeakMb)} MB (target at most ${targets.peakMb})`,
    `  plain / leat ${ratio.toFixed(2)}x${target}`,
    "",
  ];
}

if (import.meta.main) await benchLoad({ rows: Number(process.argv[2] ?? 1_000_000) });
