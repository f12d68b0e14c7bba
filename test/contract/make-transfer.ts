/** Stands for Terraform and for Google's own transfer: makes the table and the views of a plan, and loads files. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { StreamSpec } from "../../src/model/stream.ts";
import type { PackageToLoad } from "../../src/ports/warehouse.ts";
import { planTransfer, type TransferPlan } from "../../src/warehouses/bigquery/plan-transfer.ts";
import type { BigQueryPlace } from "./bigquery-place.ts";

export async function makeTransfer(
  { server }: BigQueryPlace,
  project: string,
  spec: StreamSpec,
): Promise<TransferPlan> {
  const plan = planTransfer(spec, {
    project,
    dataset: "warehouse",
    landing: "gs://shop-landing",
    tenantColumn: "tenant_id",
  });
  const post = async (path: string, body: unknown) => {
    const url = `${server.url}/bigquery/v2/projects/${project}/datasets${path}`;
    const { status } = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    assert.ok(status === 200 || (status === 409 && path === ""), `${path} was answered ${status}`);
  };
  for (const datasetId of ["warehouse", "metrc"])
    await post("", { datasetReference: { projectId: project, datasetId }, location: "EU" });
  await post("/warehouse/tables", {
    tableReference: { tableId: plan.table },
    schema: { fields: plan.fields },
  });
  for (const { dataset, name, query } of plan.views)
    await post(`/${dataset}/tables`, { tableReference: { tableId: name }, view: { query } });
  return plan;
}

/** One run of the service: appends whole files to the table. */
export async function transferFiles(
  { server, objects }: BigQueryPlace,
  project: string,
  plan: TransferPlan,
  packages: readonly PackageToLoad[],
): Promise<void> {
  const uris: string[] = [];
  for (const { path } of packages.flatMap(({ parts }) => parts)) {
    objects.set(path, { body: await readFile(path), createdAtMs: 0 });
    uris.push(`gs://shop-landing/${path}`);
  }
  const load = {
    sourceUris: uris,
    destinationTable: { projectId: project, datasetId: "warehouse", tableId: plan.table },
    sourceFormat: "NEWLINE_DELIMITED_JSON",
    ignoreUnknownValues: true,
    schema: { fields: plan.fields },
    writeDisposition: "WRITE_APPEND",
  };
  const jobReference = { jobId: `${project}_dts_${server.jobs.list().length}`, location: "EU" };
  const body = JSON.stringify({ jobReference, configuration: { load } });
  const url = `${server.url}/bigquery/v2/projects/${project}/jobs`;
  assert.equal((await fetch(url, { method: "POST", body })).status, 200);
  await server.jobs.settle();
  assert.equal(server.jobs.list().at(-1)?.error, undefined);
}
