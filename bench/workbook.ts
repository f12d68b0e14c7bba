/** Workbooks to rows: real files and a large one, beside the time to unpack it and beside pandas. */

import { readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeLargeWorkbook } from "./large-workbook.ts";
import { type JobResult, median, runJob, runScript } from "./processes.ts";
import { installPython } from "./python-environment.ts";

/** Pinned, so that the figures say of what they are. */
const pythonPackages = ["pandas==3.1.1", "openpyxl==3.1.5", "xlrd==2.0.2", "python-calamine==0.9.1"];
const dataFolder = join(import.meta.dirname, "..", "test", "data");

/** Median seconds of one pass, the largest peak of memory, and how much was read. */
type Figures = Readonly<{ seconds: number; peakMb: number; rows: number; cells: number }>;

export type WorkbookBench = Readonly<{
  /** Whole files in one process that reads each several times; `pandas` as it says, or why it did not run. */
  real: readonly Readonly<{
    name: string;
    files: number;
    leat: Figures;
    calamine?: Figures;
    old?: Figures;
  }>[];
  large: Readonly<{
    rows: number;
    megabytes: number;
    inflate: Figures;
    /** Every cell made, in a fresh process; `tidy`: through the rules of layout into NDJSON. */
    cells: Figures;
    tidy: Figures;
    calamine?: Figures;
  }>;
  /** Why pandas did not run. */
  missing: string | undefined;
}>;

/** Measures: `rows` of the large file, each job `runs` times and the peers between. */
export async function benchWorkbook(options: {
  rows: number;
  runs: number;
  passes: number;
}): Promise<WorkbookBench> {
  const folder = await mkdtemp(join(tmpdir(), "leat-bench-"));
  try {
    const python = installPython("pandas", pythonPackages);
    const pandas = async (engine: string, passes: number, files: readonly string[]): Promise<JobResult> =>
      runJob(python.path!, [join(import.meta.dirname, "pandas_excel.py"), engine, String(passes), ...files]);
    const leat = (job: string, passes: number, files: readonly string[]): Promise<JobResult> =>
      runScript("workbook-job.ts", [job, String(passes), ...files]);
    const has = python.path !== undefined;

    const real: WorkbookBench["real"][number][] = [];
    for (const [name, pattern] of [
      ["monthly and weekly deaths, .xls", /deaths.*\.xls$/],
      ["weekly deaths, .xlsx", /deaths.*\.xlsx$/],
    ] as const) {
      const files = readdirSync(dataFolder, { recursive: true, encoding: "utf8" })
        .filter((path) => pattern.test(path))
        .map((path) => join(dataFolder, path));
      const { passes } = options;
      const [ours, calamine, old] = await interleave(options.runs, [
        () => leat("rows", passes, files),
        ...(has
          ? [() => pandas("calamine", passes, files), () => pandas("old", Math.min(3, passes), files)]
          : []),
      ]);
      real.push({
        name,
        files: files.length,
        leat: ours!,
        ...(calamine !== undefined && { calamine }),
        ...(old !== undefined && { old }),
      });
    }

    const path = join(folder, "large.xlsx");
    await writeLargeWorkbook(path, options.rows);
    const [inflate, cells, tidy, calamine] = await interleave(options.runs, [
      () => leat("inflate", 1, [path]),
      () => leat("rows", 1, [path]),
      () => leat("tidy", 1, [path]),
      ...(has ? [() => pandas("calamine", 1, [path])] : []),
    ]);
    if (cells!.rows !== options.rows || tidy!.rows !== options.rows) throw new Error("rows are missing");
    const megabytes = statSync(path).size / 1e6;
    const large = { rows: options.rows, megabytes, inflate: inflate!, cells: cells!, tidy: tidy! };
    return {
      real,
      large: { ...large, ...(calamine !== undefined && { calamine }) },
      missing: python.path === undefined ? `pandas did not run: ${python.reason}` : undefined,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the jobs in turns, so that what else the machine does befalls them alike. */
async function interleave(
  runs: number,
  jobs: readonly (() => Promise<JobResult>)[],
): Promise<readonly Figures[]> {
  const results = jobs.map((): JobResult[] => []);
  for (let turn = 0; turn < runs; turn++) {
    for (const [index, job] of jobs.entries()) results[index]!.push(await job());
  }
  return results.map((list) => {
    const of = (key: string): number[] => list.map((one) => one[key] ?? Number.NaN);
    return {
      seconds: median(of("seconds")),
      peakMb: Math.max(...of("peakMb")),
      rows: of("rows")[0]!,
      cells: of("cells")[0]!,
    };
  });
}

if (import.meta.main) {
  console.log(JSON.stringify(await benchWorkbook({ rows: 60_000, runs: 1, passes: 5 }), null, 1));
}
