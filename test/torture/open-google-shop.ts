/** The shop's landing at gs:// and its warehouse in BigQuery, both on stand-ins. */
import { readStagedPart } from "../../src/landing/part-reader.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { openGcsStore } from "../../src/stores/gcs/open-gcs-store.ts";
import { type BigQueryWarehouse, openBigQuery } from "../../src/warehouses/bigquery/open-bigquery.ts";
import { hastyWorld } from "../stores/bucket-under-test.ts";

/** Where they are; plain data, so that it can be handed to a process. */
export type GoogleShop = Readonly<{
  storageUrl: string;
  bucket: string;
  warehouseUrl: string;
  project: string;
}>;

export async function openGoogleShop({
  storageUrl,
  bucket,
  warehouseUrl,
  project,
}: GoogleShop): Promise<{ store: ObjectStore; warehouse: BigQueryWarehouse }> {
  const place = { bucket, prefix: "", endpoint: storageUrl };
  return {
    store: await openGcsStore(hastyWorld(), place, "leat/test"),
    warehouse: openBigQuery(`bigquery://${project}/warehouse?location=EU&endpoint=${warehouseUrl}`, {
      openStaging: () => Promise.reject(new Error("gzip is read where it is landed")),
      readPart: readStagedPart,
      waitFactor: 0.02,
    }),
  };
}
