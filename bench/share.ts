/**
 * Shares of a tenant's rows into a DuckDB file: as they are, and with columns chosen, renamed and masked; beside a plain
 * load of the same packages into a warehouse of one's own. In turns, each into a new file.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { openTenantVersions } from "../src/dataset/open-tenant-versions.ts";
import { defineShare, type ShareColumns } from "../src/define/define-share.ts";
import { loadStream } from "../src/load/load-stream.ts";
import { toTenantId } from "../src/model/ids.ts";
import { deliverShare } from "../src/share/deliver-share.ts";
import { isWhole } from "../src/share/share-job.ts";
import { openFsStore } from "../src/stores/fs/open-fs-store.ts";
import { makeStreamSpec } from "../src/testing/warehouse-under-test.ts";
import { writeTenantRows } from "../src/warehouses/duckdb/tenant-rows.ts";
import { openTarget } from "../test/share/open-target.ts";
import { median } from "./processes.ts";
import { landPlants } from "./share-landing.ts";

/** Medians, rows a second; `peakMb` of the whole process. */
export type ShareFigures = Readonly<{
  rows: number;
  load: number;
  plain: number;
  chosen: number;
  /** An unchanged share: ms. */
  unchangedMs: number;
  peakMb: number;
}>;

const stream = makeStreamSpec({ source: "farm", name: "plants" });
const columns: ShareColumns = {
  id: true,
  modified: "changed_at",
  label: true,
  weight: true,
  state: true,
  mail: { mask: true },
};

/** Measures. */
export async function benchShare(options: Readonly<{ rows: number; runs: number }>): Promise<ShareFigures> {
  const folder = await mkdtemp(join(import.meta.dirname, "share-"));
  try {
    const store = openFsStore(join(folder, "landing"));
    await landPlants(
      store,
      1,
      Array.from({ length: options.rows }, (_, id) => id),
      { seq: 1, version: 1 },
    );
    const seconds = { load: [] as number[], plain: [] as number[], chosen: [] as number[] };
    const unchanged: number[] = [];
    for (let run = 0; run < options.runs; run += 1) {
      const workFolder = join(folder, `work-${run}`);
      await mkdir(workFolder);
      const at = (name: string): string => `duckdb:${join(workFolder, name)}.duckdb`;
      seconds.load.push(
        await timed(async () => {
          const warehouse = await openTarget(at("own"), workFolder);
          const ports = { store, warehouse, progress: () => {}, workFolder };
          await loadStream(ports, stream, [toTenantId("1")], new AbortController().signal);
          await warehouse.close();
        }),
      );
      const share = (name: string, chosen: ShareColumns | undefined) => async () => {
        const outcome = await deliverShare(
          {
            store,
            versions: openTenantVersions(store, writeTenantRows, workFolder),
            secrets: { resolve: async () => "a salt that nobody can guess" },
            openTarget: (address) => openTarget(address, workFolder),
            progress: () => {},
            workFolder,
          },
          {
            project: "farm",
            share: defineShare({
              name: "replica",
              streams: [{ stream: "farm.plants", ...(chosen && { columns: chosen }) }],
              to: at(name),
              salt: "env:SALT",
            }),
            tenant: { id: toTenantId("1"), fields: {} },
            mode: "deliver",
            streams: new Map([["farm.plants", stream]]),
            datasets: new Map(),
            tenantColumn: "tenant_id",
          },
          new AbortController().signal,
        );
        if (!isWhole(outcome)) throw outcome.error ?? outcome.tables[0]?.error;
      };
      seconds.plain.push(await timed(share("plain", undefined)));
      unchanged.push(1000 * (await timed(share("plain", undefined))));
      seconds.chosen.push(await timed(share("chosen", columns)));
      await rm(workFolder, { recursive: true, force: true });
    }
    const rate = (of: readonly number[]): number => options.rows / median(of);
    return {
      rows: options.rows,
      load: rate(seconds.load),
      plain: rate(seconds.plain),
      chosen: rate(seconds.chosen),
      unchangedMs: median(unchanged),
      peakMb: process.resourceUsage().maxRSS / 1024,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return (performance.now() - startedMs) / 1000;
}
