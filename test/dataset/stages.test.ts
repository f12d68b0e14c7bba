/** A build in stages, as flows do it: each may be done by another process, done twice, or come too late. */
import { mkdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { BuildPorts } from "../../src/dataset/build-job.ts";
import { checkStage, listUntidied, publishStage, tidyFile } from "../../src/dataset/build-stages.ts";
import { collectVersions } from "../../src/dataset/collect-versions.ts";
import { readNewest } from "../../src/dataset/dataset-log.ts";
import { defineDataset, fromFiles, z } from "../../src/index.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import { type DatasetBench, readLinesOf, withBench } from "./dataset-bench.ts";

const spec: DatasetSpec = defineDataset({
  name: "d",
  description: "x",
  columns: { id: z.int(), value: z.string() },
  key: ["id"],
  rules: [{ rule: "acceptedValues", column: "value", values: ["a", "b", "c"] }],
  from: fromFiles("ons.workbooks", { read: readLinesOf("id", "value") }),
});

const { signal } = new AbortController();

async function openPorts(bench: DatasetBench): Promise<BuildPorts> {
  const ports = bench.ports();
  await mkdir(ports.workFolder, { recursive: true });
  return ports;
}

const check = async (bench: DatasetBench) =>
  (await checkStage(await openPorts(bench), bench.job(spec), signal)).ref;
const publish = async (bench: DatasetBench, ref: Awaited<ReturnType<typeof check>>) =>
  publishStage(await openPorts(bench), bench.job(spec), ref, signal);
const drafts = async (bench: DatasetBench) =>
  (await bench.keys("datasets/d/")).filter((key) => key.endsWith("draft.json"));

describe("a build in stages", () => {
  test("reads each new file once, shows nothing before it is published, and publishes once", async () => {
    await withBench(async (bench) => {
      await bench.land("1.xls", [{ id: 1, value: "a" }]);
      await bench.land("2.xls", [{ id: 2, value: "b" }]);
      const ports = await openPorts(bench);
      const untidied = await listUntidied(ports, bench.job(spec));
      expect(untidied.map(({ name }) => name)).toEqual(["1.xls", "2.xls"]);
      for (const file of untidied) await tidyFile(ports, bench.job(spec), file, signal);
      expect(await listUntidied(ports, bench.job(spec))).toEqual([]);
      const ref = await check(bench);
      expect(bench.read).toEqual(["1.xls", "2.xls"]);
      expect([ref.status, await readNewest(bench.store, "d"), (await drafts(bench)).length]).toEqual([
        "new",
        undefined,
        1,
      ]);
      const first = await publish(bench, ref);
      expect(first).toMatchObject({
        status: "published",
        table: "published",
        manifest: { seq: 1, rowCount: 2 },
      });
      expect(await bench.query("select id, value from d order by id")).toEqual([
        { id: 1, value: "a" },
        { id: 2, value: "b" },
      ]);
      expect(await drafts(bench)).toEqual([]);
      // Its process died before it could say so: once more finds what is there.
      expect(await publish(bench, ref)).toMatchObject({ status: "published", manifest: { seq: 1 } });
      const again = await check(bench);
      expect(again).toMatchObject({ status: "unchanged", seq: 1 });
      expect(await publish(bench, again)).toMatchObject({ status: "unchanged", table: "unchanged" });
    });
  });

  test("that another build was faster than is superseded, or finds its own rows published", async () => {
    await withBench(async (bench) => {
      await bench.land("1.xls", [{ id: 1, value: "a" }]);
      const late = await check(bench);
      const same = await check(bench);
      await bench.land("1.xls", [{ id: 1, value: "b" }]);
      const faster = await check(bench);
      expect(await publish(bench, faster)).toMatchObject({ status: "published", manifest: { seq: 1 } });
      expect(await publish(bench, late)).toEqual({ status: "superseded" });
      expect(await publish(bench, same)).toEqual({ status: "superseded" });
      expect(await drafts(bench)).toEqual([]);
      const [one, other] = [await check(bench), await check(bench)];
      expect([one.status, other.status]).toEqual(["unchanged", "unchanged"]);
      await bench.land("1.xls", [{ id: 1, value: "c" }]);
      const twins = [await check(bench), await check(bench)];
      const ends = [];
      for (const twin of twins) ends.push((await publish(bench, twin)).status);
      expect(ends).toEqual(["published", "unchanged"]);
      expect((await readNewest(bench.store, "d"))?.seq).toBe(2);
    });
  });

  test("whose draft was collected is superseded, and one that waits is left alone", async () => {
    await withBench(async (bench) => {
      await bench.land("1.xls", [{ id: 1, value: "a" }]);
      const waiting = await check(bench);
      const options = { keepVersions: undefined, isDryRun: false };
      expect((await collectVersions(bench.store, "d", options)).deleted).toBe(0);
      await bench.land("1.xls", [{ id: 1, value: "b" }]);
      await bench.build(spec);
      expect((await collectVersions(bench.store, "d", options)).deleted).toBeGreaterThan(0);
      expect(await publish(bench, waiting)).toEqual({ status: "superseded" });
    });
  });

  test("whose rules do not hold leaves no draft", async () => {
    await withBench(async (bench) => {
      await bench.land("1.xls", [{ id: 1, value: "nonsense" }]);
      await expect(check(bench)).rejects.toMatchObject({ code: "RULE_FAILED" });
      expect(await bench.keys("datasets/d/")).toEqual([]);
    });
  });
});
