/** `npm run bench -- extract load [--small]`: every figure with its ceiling and its peer, measured in one run. */
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { benchExtract } from "./extract.ts";
import { benchFlows } from "./flows.ts";
import { benchLoad } from "./load.ts";
import { benchPostgres } from "./postgres.ts";
import { benchScan } from "./scan.ts";
import { benchServe } from "./serve.ts";
import { sayServed } from "./serve-report.ts";
import { benchShare } from "./share.ts";
import { benchSync } from "./sync.ts";
import { benchWorkbook } from "./workbook.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: "boolean", default: false } },
});
const isSmall = values.small;
const thousand = 1000;
const million = thousand * thousand;

const say = (line = "") => console.log(line);
const row = (name: string, value: number, unit: string, note = "") =>
  say(`  ${name.padEnd(44)} ${format(value).padStart(12)} ${unit.padEnd(10)} ${note}`);
const format = (value: number) =>
  value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toFixed(value < 10 ? 2 : 1);
const times = (ratio: number, target: number) => `${ratio.toFixed(2)}x (target ${target})`;

async function extract(): Promise<void> {
  const scan = await benchScan();
  say(`Scan, records of ${Math.round(scan.recordBytes)} bytes`);
  for (const { name, megabytesPerSecond } of scan.rates) row(name, megabytesPerSecond, "MB/s");
  row("scanner / UTF-8 decode", scan.ratioToDecode, "x");
  row("scanner / parse + stringify", scan.ratioToStringify, "x");
  say();
  const { rates, single } = await benchExtract({
    pages: isSmall ? 50 : 1000,
    runs: isSmall ? 2 : 5,
    singleBytes: isSmall ? 100 * million : thousand * million,
  });
  const targets = { identity: 3, gzip: 2 };
  for (const encoding of ["identity", "gzip"] as const) {
    const { drain, stringify, leat, "leat-zstd": packed } = rates[encoding];
    say(`HTTP to NDJSON, ${encoding}, one connection, new process each time`);
    row("drain the socket", drain, "records/s");
    row("fetch().json(), stringify, to a file", stringify, "records/s");
    row(
      "leat, to NDJSON",
      leat,
      "records/s",
      `${times(leat / stringify, targets[encoding])} of fetch + stringify, ${(leat / drain).toFixed(2)} of drain`,
    );
    row(
      "leat, to NDJSON in zstd",
      packed,
      "records/s",
      `${(packed / stringify).toFixed(2)}x of fetch + stringify`,
    );
    say();
  }
  say(`One answer of ${format(single.bytes / million)} MB`);
  row("leat, streamed", single.recordsPerSecond, "records/s");
  row("peak memory of the process", single.peakMb, "MB", "(target at most 300)");
  say();
}

async function load(): Promise<void> {
  await benchLoad({ rows: isSmall ? 200 * thousand : 10 * million, runs: isSmall ? 1 : 3, say });
  const sync = await benchSync({
    records: isSmall ? 50 * thousand : million,
    peerRecords: isSmall ? 10 * thousand : 200 * thousand,
    runs: isSmall ? 1 : 3,
  });
  say(`Sync of ${format(sync.records)} records from a local server to a view that answers`);
  const { seconds = 1, peakMb = 0, querySeconds = 0 } = sync.leat;
  row("leat", sync.records / seconds, "records/s", "(target at least 50,000)");
  row("first query of the view", querySeconds, "s");
  row("peak memory of the process", peakMb, "MB", "(target at most 1,024)");
  if (typeof sync.peer === "string") {
    say();
    say(`  !! ${sync.peer}`);
    say("  !! The comparison with dlt was NOT made.");
    process.exitCode = 1;
    return;
  }
  const { records, leatSeconds, dltSeconds, ratio, dltPeakMb } = sync.peer;
  say();
  say(`The same of ${format(records)} records, medians`);
  row("leat", leatSeconds, "s");
  row("dlt, rest_api source, merge into DuckDB", dltSeconds, "s", `${format(dltPeakMb)} MB`);
  row("leat / dlt", ratio, "x", "(target at least 5)");
  say();
}

async function workbook(): Promise<void> {
  const { real, large, missing } = await benchWorkbook({
    rows: isSmall ? 60 * thousand : 560 * thousand,
    runs: isSmall ? 1 : 5,
    passes: isSmall ? 5 : 21,
  });
  for (const { name, files, leat, calamine, old } of real) {
    say(`${files} real workbooks: ${name}; every sheet, warm: one process, median pass over all files`);
    row(
      "leat, every cell made",
      leat.rows / leat.seconds,
      "rows/s",
      `${format(leat.seconds * thousand)} ms a pass`,
    );
    row("peak memory of the process", leat.peakMb, "MB");
    for (const [peer, figures] of [
      ["pandas.read_excel, calamine", calamine],
      ["pandas.read_excel, xlrd or openpyxl", old],
    ] as const) {
      if (figures === undefined) continue;
      const ratio = figures.seconds / leat.seconds;
      const note = peer.endsWith("calamine") ? times(ratio, 1) : `${ratio.toFixed(2)}x`;
      // Rows are those with a cell, for all: DataFrames have the blank ones between, too.
      row(peer, leat.rows / figures.seconds, "rows/s", `${format(figures.peakMb)} MB; leat is ${note}`);
    }
    say();
  }
  const { inflate, cells, tidy, calamine } = large;
  say(
    `An .xlsx of ${format(large.megabytes)} MB, ${format(large.rows)} rows of 12 cells, a new process each time`,
  );
  row("unpack it, checksums looked at", inflate.seconds, "s", `${format(inflate.peakMb)} MB`);
  row(
    "leat, every cell made",
    cells.seconds,
    "s",
    `${format(cells.peakMb)} MB (targets at most 40 s and 2,048 MB)`,
  );
  row(
    "leat, rows",
    large.rows / cells.seconds,
    "rows/s",
    `${times(inflate.seconds / cells.seconds, 0.3)} of unpacking`,
  );
  row("leat, laid out, to NDJSON", tidy.seconds, "s", `${format(tidy.peakMb)} MB`);
  if (calamine !== undefined) {
    row(
      "pandas.read_excel, calamine",
      calamine.seconds,
      "s",
      `${format(calamine.peakMb)} MB; leat's cells are ${(calamine.seconds / cells.seconds).toFixed(2)}x`,
    );
  }
  say();
  if (missing === undefined) return;
  say(`  !! ${missing}`);
  say("  !! The comparison with pandas was NOT made.");
  process.exitCode = 1;
}

async function flows(): Promise<void> {
  const bench = await benchFlows({
    tasks: isSmall ? 500 : 5000,
    starts: isSmall ? 3 : 11,
    runs: isSmall ? 50 : 500,
    idleMs: isSmall ? 4000 : 30_000,
    peerTasks: isSmall ? 50 : 300,
  });
  say("Flows, ledger in a SQLite file, sources unbuilt");
  row("leat run of an empty flow, the whole process", bench.startMs, "ms", "(target at most 400)");
  row("a no-op task more, in leat run", bench.taskMs, "ms");
  row("a no-op task more, in a worker's process", bench.queuedTaskMs, "ms");
  row("from request to start, first run", bench.firstStartMs, "ms");
  row("from request to start, a process is there", bench.nextStartMs, "ms");
  row("runs of an empty flow, one worker", bench.runsPerSecond.one, "runs/s");
  row("runs of an empty flow, two workers", bench.runsPerSecond.two, "runs/s");
  row("leat up, idle: memory", bench.idle.megabytes, "MB", "(target at most 150)");
  row("leat up, idle: processor", bench.idle.cpuShare * 100, "%", "(target at most 1)");
  if (typeof bench.peer === "string") {
    say(`  !! ${bench.peer}`);
    say("  !! The comparison with Prefect was NOT made.");
    process.exitCode = 1;
    return;
  }
  row(
    "a no-op task more, in Prefect 3",
    bench.peer.taskMs,
    "ms",
    times(bench.peer.taskMs / bench.queuedTaskMs, 10),
  );
  say();
}

async function serve(): Promise<void> {
  const bench = await benchServe({
    sizes: isSmall ? ["small"] : ["small", "big"],
    rounds: isSmall ? 1 : 3,
    seconds: isSmall ? 1 : 2,
  });
  sayServed(bench, { say, row });
  if (bench.missing === undefined) return;
  say(`  !! ${bench.missing}`);
  say("  !! The comparison was NOT made.");
  process.exitCode = 1;
}

async function postgres(): Promise<void> {
  const figures = await benchPostgres({
    rows: isSmall ? 200 * thousand : million,
    runs: isSmall ? 1 : 3,
  });
  for (const { shape, rows, copySeconds, leatSeconds, ratio, peakMb } of figures) {
    const what = shape === "narrow" ? "8 columns" : "8 columns, two of exact decimals";
    say(`Load of ${format(rows)} rows into Postgres, ${what}`);
    row("the server's own COPY from a file", rows / copySeconds, "rows/s");
    row("leat, from compressed JSON", rows / leatSeconds, "rows/s", times(ratio, 0.5));
    row("peak memory of the process", peakMb, "MB", "(target at most 1,024)");
    say();
  }
}

async function share(): Promise<void> {
  const figures = await benchShare({ rows: isSmall ? 50 * thousand : 500 * thousand, runs: isSmall ? 1 : 3 });
  say(`One tenant's ${format(figures.rows)} rows of 8 columns into a DuckDB file`);
  row("a plain load into a warehouse of one's own", figures.load, "rows/s");
  row(
    "a share as they are, with its receipts",
    figures.plain,
    "rows/s",
    `${(figures.plain / figures.load).toFixed(2)}x of the load`,
  );
  row(
    "a share of 6 columns, renamed, one masked",
    figures.chosen,
    "rows/s",
    `${(figures.chosen / figures.load).toFixed(2)}x of the load`,
  );
  row("a share with nothing new, with its receipts", figures.unchangedMs, "ms");
  row("peak memory of the process", figures.peakMb, "MB");
  say();
}

const benches: Readonly<Record<string, () => Promise<void>>> = {
  extract,
  load,
  postgres,
  share,
  workbook,
  serve,
  flows,
};
const chosen = positionals.length === 0 ? Object.keys(benches) : positionals;
const unknown = chosen.find((name) => benches[name] === undefined);
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}"; there are ${Object.keys(benches).join(", ")}.`);
  process.exit(2);
}
say(
  `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`,
);
say();
for (const name of chosen) await benches[name]?.();
