/** A stream's rows for one tenant: its own packages, loaded as they are loaded everywhere (PROTOCOL: two uses). */
import assert from "node:assert/strict";
import { loadStream } from "../load/load-stream.ts";
import { hasWaiting, readWaiting } from "../load/read-waiting.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ShareTable } from "../ports/share.ts";
import type { Warehouse } from "../ports/warehouse.ts";
import type { Progress } from "../ports/world.ts";
import { checkColumns } from "./check-columns.ts";
import type { Mask } from "./masking.ts";
import { planTargetStream } from "./plan-table.ts";
import type { ShareJob } from "./share-job.ts";
import { openShareWarehouse } from "./share-warehouse.ts";
import type { TableRows } from "./table-rows.ts";

/** What a stream's rows are taken from. */
export type StreamShare = Readonly<{
  job: ShareJob;
  table: ShareTable;
  stream: StreamSpec;
  /** The tenant's own places of the landing; see `openTenantStore`. */
  store: ObjectStore;
  warehouse: Warehouse;
  mask: Mask | undefined;
  progress: Progress;
  workFolder: string;
}>;

/** Opens them. */
export function openStreamRows(share: StreamShare): TableRows {
  const { job, table, stream, store, warehouse, progress, workFolder } = share;
  const place: StreamPlace = { source: stream.source, stream: stream.name, tenant: job.tenant.id };
  const mask = share.mask ?? refuseMask;
  return {
    target: planTargetStream(job.share, table, stream),
    schema: undefined,
    isWhole: false,
    check: () => checkColumns(store, place, stream, table),
    hasNews: (loaded) => hasWaiting(store, place, loaded),
    async plan(loaded) {
      const waiting = await readWaiting(store, place, loaded);
      const rows = waiting.reduce((sum, { head }) => sum + head.manifest.counts.landed, 0);
      return { packages: waiting.length, rows };
    },
    async load(into, signal) {
      const target = { warehouse, stream: into, columns: table.columns, mask, workFolder };
      const ports = { store, warehouse: openShareWarehouse(target), progress, workFolder };
      const { tenants } = await loadStream(ports, stream, [place.tenant], signal);
      const { packages, loaded, rejected, seq, error } = tenants[0]!; // One was asked for.
      return { packages, rows: loaded, rejected, seq, error };
    },
  };
}

/** Stands where nothing is masked. */
export const refuseMask = (): never => assert.fail("a share that masks has a salt");
