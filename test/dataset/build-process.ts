/**
 * One build as a process, which may be killed at any await: `node build-process.ts FOLDER COUNT`. Its files are the
 * first COUNT of three; a later one restates rows of the first.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildDataset } from "../../src/dataset/build-dataset.ts";
import type { BuildOutcome } from "../../src/dataset/build-job.ts";
import { defineDataset, fromFiles, z } from "../../src/index.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import { DatasetBench, readLinesOf } from "./dataset-bench.ts";

const row = (id: number, value: number) => ({ id, value });

const files = [
  { name: "2018.xls", rows: [row(1, 10), row(2, 20), row(3, 30)] },
  { name: "2019.xls", rows: [row(4, 40)] },
  { name: "2020.xls", rows: [row(2, 21), row(5, 50)] },
] as const;

const spec: DatasetSpec = defineDataset({
  name: "deaths",
  description: "x",
  columns: { id: z.int(), value: z.int() },
  key: ["id"],
  rules: [{ rule: "rowCount", min: 1 }],
  from: fromFiles("ons.workbooks", { read: readLinesOf("id", "value") }),
});

/** Lands the first files, which changes nothing when they are there, and builds. */
export async function buildOf(folder: string, count: number): Promise<BuildOutcome> {
  const bench = await DatasetBench.open(folder);
  for (const { name, rows } of files.slice(0, count)) await bench.land(name, rows);
  const ports = bench.ports({ workFolder: join(folder, `work-${process.pid}`) });
  await mkdir(ports.workFolder, { recursive: true });
  const hook = globalThis as { __leatArm?: () => void }; // Set by kill-hook.ts when that is loaded.
  hook.__leatArm?.();
  return await buildDataset(ports, bench.job(spec), new AbortController().signal);
}

if (import.meta.main) {
  const [folder = "", count = ""] = process.argv.slice(2);
  const { status, manifest } = await buildOf(folder, Number(count));
  console.log(JSON.stringify({ status, seq: manifest.seq, version: manifest.version }));
  process.exit(0); // The engine may keep the loop alive.
}
