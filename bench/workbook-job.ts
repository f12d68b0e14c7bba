/**
 * One job of the benchmark of workbooks: `node workbook-job.ts JOB TIMES FILE…`. Prints one line of JSON.
 *
 * - `inflate`: the sheets' parts are unpacked and their checksums looked at, nothing else.
 * - `rows`: each file is opened, and every cell of every sheet is made.
 * - `tidy`: a file goes through the rules of layout into NDJSON, as the process does that a reader starts for it.
 */
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { runJob } from "../src/readers/child/run-job.ts";
import { openWorkbook } from "../src/readers/open-workbook.ts";
import { ZipArchive } from "../src/readers/zip/zip-archive.ts";
import { workbook } from "../src/workbook/workbook.ts";
import { median } from "./processes.ts";

const [job = "", times = "1", ...files] = process.argv.slice(2);

async function inflate(path: string): Promise<Count> {
  using archive = await ZipArchive.open(path, basename(path));
  let bytes = 0;
  for (const member of archive.members.keys()) {
    if (!member.startsWith("xl/worksheets/")) continue;
    for await (const chunk of archive.stream(member)) bytes += chunk.length;
  }
  return { rows: 0, cells: bytes };
}

type Count = { rows: number; cells: number };

async function readRows(path: string): Promise<Count> {
  const opened = await openWorkbook(path, basename(path));
  const count = { rows: 0, cells: 0 };
  for (const sheet of opened.sheets) {
    for await (const rows of sheet.rows()) {
      count.rows += rows.length;
      for (const { cells } of rows) for (const cell of cells) if (cell !== undefined) count.cells++;
    }
  }
  await opened.close();
  return count;
}

async function tidy(path: string): Promise<Count> {
  const texts = ["A", "B", "C"].map((letter) => [letter, { letter }] as const);
  const numbers = ["E", "F", "G", "H", "I", "J", "K", "L"].map(
    (letter) => [letter, { letter, kind: "number" }] as const,
  );
  const declaration = workbook({
    header: "none",
    columns: {
      ...Object.fromEntries(texts),
      D: { letter: "D", kind: "date" },
      ...Object.fromEntries(numbers),
    },
  });
  const rowsPath = `${path}.ndjson`;
  const { rowCount } = await runJob({ path, name: basename(path), fields: {}, declaration, rowsPath });
  await rm(rowsPath);
  return { rows: rowCount, cells: 0 };
}

const jobs: Readonly<Record<string, (path: string) => Promise<Count>>> = { inflate, rows: readRows, tidy };
const run = jobs[job];
if (run === undefined) throw new Error(`there is no job "${job}"`);
const seconds: number[] = [];
let [rows, cells] = [0, 0];
for (let turn = 0; turn < Number(times); turn++) {
  [rows, cells] = [0, 0];
  const begun = performance.now();
  for (const file of files) {
    const count = await run(file);
    rows += count.rows;
    cells += count.cells;
  }
  seconds.push((performance.now() - begun) / 1000);
}
const peakMb = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ rows, cells, seconds: median(seconds), first: seconds[0], peakMb }));
