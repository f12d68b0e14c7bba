/** A sync from a local server to a view that answers, and dlt doing the same job in the same run. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobResult, median, runJob, runScript, startServer } from "./processes.ts";
import { installPython } from "./python-environment.ts";

/** Pinned, so that the figures say of what they are. */
const dltVersion = "1.31.0";

export type SyncBench = Readonly<{
  records: number;
  leat: JobResult;
  /** The smaller job that both do, medians of interleaved runs; `undefined` with the reason where dlt cannot run. */
  peer:
    | Readonly<{ records: number; leatSeconds: number; dltSeconds: number; ratio: number; dltPeakMb: number }>
    | string;
}>;

/** Measures. dlt gets fewer records, since it takes minutes for what leat does in seconds; leat the same few beside it. */
export async function benchSync(options: {
  records: number;
  peerRecords: number;
  runs: number;
}): Promise<SyncBench> {
  const folder = await mkdtemp(join(tmpdir(), "leat-bench-"));
  try {
    const large = await startServer("record-server.ts", [String(options.records)]);
    const leat = await leatOnce(large.url, folder, options.records);
    await large.stop();
    const python = installPython("dlt", [`dlt[duckdb]==${dltVersion}`]);
    if (python.path === undefined)
      return { records: options.records, leat, peer: `dlt did not run: ${python.reason}` };
    const small = await startServer("record-server.ts", [String(options.peerRecords)]);
    const [ours, theirs]: [JobResult[], JobResult[]] = [[], []];
    for (let turn = 0; turn < options.runs; turn++) {
      ours.push(await leatOnce(small.url, folder, options.peerRecords));
      const at = await mkdtemp(join(folder, "dlt-"));
      theirs.push(await runJob(python.path, [join(import.meta.dirname, "dlt_sync.py"), small.url, at]));
      await rm(at, { recursive: true, force: true });
    }
    await small.stop();
    if (theirs.some((one) => one["records"] !== options.peerRecords))
      throw new Error("dlt has another count of records");
    const leatSeconds = median(ours.map((one) => one["seconds"] ?? Number.NaN));
    const dltSeconds = median(theirs.map((one) => one["seconds"] ?? Number.NaN));
    const dltPeakMb = Math.max(...theirs.map((one) => one["peakMb"] ?? Number.NaN));
    const peer = {
      records: options.peerRecords,
      leatSeconds,
      dltSeconds,
      ratio: dltSeconds / leatSeconds,
      dltPeakMb,
    };
    return { records: options.records, leat, peer };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function leatOnce(url: string, folder: string, records: number): Promise<JobResult> {
  const at = await mkdtemp(join(folder, "leat-"));
  const result = await runScript("sync-job.ts", [url, at]);
  await rm(at, { recursive: true, force: true });
  if (result["records"] !== records) throw new Error(`leat has ${result["records"]} records, not ${records}`);
  return result;
}

if (import.meta.main) {
  console.log(
    JSON.stringify(await benchSync({ records: 1_000_000, peerRecords: 100_000, runs: 3 }), null, 1),
  );
}
