/** Landed parts as packages for the jobs of load benchmarks, and what such a job took. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toTenantId } from "../src/model/ids.ts";
import type { PackageToLoad, StagedPart } from "../src/ports/warehouse.ts";
import { columnsOf, type LoadShape } from "./load-parts.ts";

/** One landed part as a package of its own. */
export function packageOf(folder: string, name: string, shape: LoadShape, seq: number): PackageToLoad {
  // The name ends in the numbers of records and plain bytes; see `landParts`.
  const [records, plainBytes] = name.split(".")[0]!.split("-").slice(-2).map(Number) as [number, number];
  const exactColumns = shape === "exact" ? ["price", "weight"] : [];
  const entry = { key: name, bytes: 0, plainBytes, records, crc32c: "00000000", exactColumns };
  const part: StagedPart = { entry, path: join(folder, name), compression: "zstd" };
  return {
    tenant: toTenantId("414"),
    seq,
    manifestHash: String(seq).padStart(64, "0"),
    landed: records,
    generation: 0,
    completesGeneration: false,
    columns: columnsOf(shape),
    parts: [part],
    tenantColumn: "tenant_id",
    partitionColumn: undefined,
  };
}

/** Most memory of this process, MB, an engine's threads too: Node's own figure may leave out pages that the system has seen. */
export function peakMb(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
  return peak === undefined ? process.resourceUsage().maxRSS / 1024 : Number(peak) / 1024;
}
