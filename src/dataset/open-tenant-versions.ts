/** Versions of datasets as shares see them: the newest of each, and one tenant's rows of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { TenantRowsRequest, TenantVersions } from "../ports/share.ts";
import { readNewest } from "./dataset-log.ts";
import { datasetPrefix } from "./dataset-names.ts";
import { bringParts } from "./open-version.ts";

/** Selects a tenant's rows out of Parquet files on this machine's disk. */
export type WriteTenantRows = (
  paths: readonly string[],
  request: TenantRowsRequest,
  file: string,
  signal: AbortSignal,
) => Promise<void>;

/** Opens them. @param workFolder - on this machine, for files that are not at hand. */
export function openTenantVersions(
  store: ObjectStore,
  writeTenantRows: WriteTenantRows,
  workFolder: string,
): TenantVersions {
  return {
    newest: (dataset) => readNewest(store, dataset),
    async writeRows(request, file, signal) {
      const { entry } = request;
      const stranger = entry.parts.find(({ key }) => !key.startsWith(datasetPrefix(entry.dataset)));
      if (stranger !== undefined)
        throw new LeatError("SHARE_OUT_OF_SCOPE", {
          message: `The dataset ${entry.dataset} names ${JSON.stringify(stranger.key)}, which is not its own; nothing was read.`,
          details: { dataset: entry.dataset, seq: entry.seq, key: stranger.key },
        });
      const folder = await mkdtemp(join(workFolder, "parts-"));
      try {
        await writeTenantRows(await bringParts(store, entry, folder), request, file, signal);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
