/** What is known of one table that is to be shared. */
import type { ShareTable } from "../ports/share.ts";
import type { ShareTables, Warehouse } from "../ports/warehouse.ts";
import type { Mask } from "./masking.ts";
import type { ShareJob } from "./share-job.ts";
import type { TableRows } from "./table-rows.ts";

/** What one table is filled with, and where. */
export type TableShare = Readonly<{
  job: ShareJob;
  table: ShareTable;
  /** The column that says whose a row is, there. */
  tenantColumn: string;
  rows: TableRows;
  warehouse: Warehouse;
  shareTables: ShareTables;
  /** Of the values to be masked; `undefined`: none are. */
  mask: Mask | undefined;
}>;
