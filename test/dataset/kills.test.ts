/** Builds that die, and builds at once. `node test/dataset/kill-builds.ts` is the long run. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { readEntryOfLog } from "../../src/dataset/dataset-log.ts";
import { withBench } from "./dataset-bench.ts";
import { runKills } from "./kill-builds.ts";

const minutes = 60_000;

test("a build killed at any await leaves a whole version, and the next one ends where it would have", {
  timeout: 5 * minutes,
}, async () => {
  const report = await runKills({ killsMax: 8, seed: 20_261_121 });
  expect(report.faults).toEqual([]);
  expect(report.kills).toBe(8);
  expect(report.sites).toBeGreaterThan(100);
});

test("processes that build one dataset at the same moment publish it once", {
  timeout: 2 * minutes,
}, async () => {
  await withBench(async (bench) => {
    const start = () =>
      spawn(process.execPath, [join(import.meta.dirname, "build-process.ts"), bench.folder, "3"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
    const answers = await Promise.all([start(), start(), start()].map((child) => text(child.stdout!)));
    const ended = answers.map(
      (answer) => JSON.parse(answer) as { status: string; seq: number; version: string },
    );
    expect(ended.map(({ status }) => status).sort()).toEqual(["published", "unchanged", "unchanged"]);
    expect(new Set(ended.map(({ version }) => version)).size).toBe(1);
    expect(await bench.keys("datasets/deaths/log/")).toHaveLength(1);
    expect(await bench.query("select count(*) as n, sum(value)::int as total from deaths")).toEqual([
      { n: 5, total: 151 },
    ]);
    const { parts } = await readEntryOfLog(bench.store, "deaths", 1);
    expect(await bench.keys("datasets/deaths/build=")).toEqual(
      expect.arrayContaining(parts.map(({ key }) => key)),
    );
  });
});
