/**
 * The customer's warehouse as a load sees it: packages of the tenant's log go in as the share says, and the ledger is
 * the share's own. This is all that makes a load a share: planning, order, retries and exactly once are the load's.
 */
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { openCrc32c } from "../landing/crc32c.ts";
import { readStagedPart } from "../landing/part-reader.ts";
import type { LoadPorts } from "../load/load-outcome.ts";
import { leatColumns, type StreamSpec } from "../model/stream.ts";
import type { ShareColumn } from "../ports/share.ts";
import type { PackageToLoad, ReopenPackage, StagedPart, Warehouse } from "../ports/warehouse.ts";
import type { Mask } from "./masking.ts";
import { planKinds } from "./plan-table.ts";
import { projectRows, type RowProjection, type SharedMember } from "./project-rows.ts";

/** What stands between a load and the customer's table. */
export type TargetTable = Readonly<{
  warehouse: Warehouse;
  /** The stream as the customer's warehouse knows it. */
  stream: StreamSpec;
  /** `undefined`: rows go in as they were landed. */
  columns: readonly ShareColumn[] | undefined;
  mask: Mask;
  workFolder: string;
}>;

/** Opens it. */
export function openShareWarehouse(target: TargetTable): LoadPorts["warehouse"] {
  const { warehouse, stream, columns } = target;
  return {
    readLedgerHeads: () => warehouse.readLedgerHeads(stream),
    ...(warehouse.settle === undefined ? {} : { settle: () => warehouse.settle!(stream) }),
    // What must be changed on the way must come by here.
    readsInPlace: (...asked) => columns === undefined && warehouse.readsInPlace?.(...asked) === true,
    async load(_spec, packages, reopen, signal) {
      if (columns === undefined) return await warehouse.load(stream, packages, reopen, signal);
      const folder = await mkdtemp(join(target.workFolder, "share-"));
      try {
        const project = openProjection(target, columns, folder, signal);
        const projected: PackageToLoad[] = [];
        for (const pack of packages) projected.push(await project(pack));
        const again: ReopenPackage = async (...asked) => project(await reopen(...asked));
        return await warehouse.load(stream, projected, again, signal);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Makes private copies of packages' parts, with what is shared and nothing else. */
function openProjection(
  { mask }: TargetTable,
  columns: readonly ShareColumn[],
  folder: string,
  signal: AbortSignal,
): (pack: PackageToLoad) => Promise<PackageToLoad> {
  let copies = 0;
  return async (pack) => {
    const projection = planProjection(columns, pack, mask);
    const parts: StagedPart[] = [];
    for (const part of pack.parts) {
      const path = join(folder, `${copies++}.ndjson`);
      parts.push(await copyPart(part, path, projection, columns, signal));
    }
    return { ...pack, columns: planKinds(columns, pack.columns), parts };
  };
}

/** leat's own members are always shared: they say whose row it is, and which. */
function planProjection(
  columns: readonly ShareColumn[],
  { tenantColumn, partitionColumn }: PackageToLoad,
  mask: Mask,
): RowProjection {
  const own = [...Object.values(leatColumns), tenantColumn, partitionColumn];
  return new Map([
    ...columns.map(({ key, name, isMasked }): [string, SharedMember] => [
      key,
      { name, mask: isMasked ? mask : undefined },
    ]),
    ...own.flatMap((name): [string, SharedMember][] =>
      name === undefined ? [] : [[name, { name, mask: undefined }]],
    ),
  ]);
}

async function copyPart(
  part: StagedPart,
  path: string,
  projection: RowProjection,
  columns: readonly ShareColumn[],
  signal: AbortSignal,
): Promise<StagedPart> {
  const checksum = openCrc32c();
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      checksum.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    const rows = Readable.from(projectRows(readStagedPart(part), projection), { objectMode: false });
    await pipeline(rows, count, createWriteStream(path), { signal });
  } catch (error) {
    throw toCopyError(error, path, signal);
  }
  const exactColumns = columns
    .filter(({ key, isMasked }) => !isMasked && part.entry.exactColumns.includes(key))
    .map(({ name }) => name)
    .sort();
  const entry = {
    ...part.entry,
    key: part.entry.key.replace(/\.(zst|gz)$/, ""),
    bytes,
    plainBytes: bytes,
    crc32c: checksum.digest(),
    exactColumns,
  };
  return { entry, path, compression: "none" };
}

/** A copy that this machine's disk did not take is told as such; what was landed is as it was. */
function toCopyError(error: unknown, path: string, signal: AbortSignal): unknown {
  if (isLeatError(error)) return error;
  if (signal.aborted) return signal.reason;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new LeatError("WAREHOUSE_FULL", {
    message: `The disk of ${path} is full: the rows to be shared cannot be staged there.`,
    hint: "Free some space on this machine and run again; nothing was moved.",
    cause: error,
  });
}
