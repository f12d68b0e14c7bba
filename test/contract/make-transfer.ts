/** Stands for Terraform where Google's own transfer loads: makes the table and the views of its plan. */
import assert from "node:assert/strict";
import type { StreamSpec } from "../../src/model/stream.ts";
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
  await server.addDataset(project, "warehouse");
  await server.addDataset(project, "metrc");
  const post = async (dataset: string, body: unknown) => {
    const url = `${server.url}/bigquery/v2/projects/${project}/datasets/${dataset}/tables`;
    const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.text());
  };
  await post("warehouse", { tableReference: { tableId: plan.table }, schema: { fields: plan.fields } });
  for (const { dataset, name, query } of plan.views)
    await post(dataset, { tableReference: { tableId: name }, view: { query } });
  return plan;
}
