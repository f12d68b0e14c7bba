/** `POST /build` of the sync app: datasets from what it has landed and loaded. */
import { expect, test } from "vitest";
import { makeFolder, orderProject } from "./leat-process.ts";

test("a dataset is built from what was synced, and one that cannot be is told without the others", async () => {
  const folder = makeFolder();
  try {
    folder.write("tenants.json", '[{"id":"414"}]');
    folder.write("data/414.ndjson", '{"id":1,"updated_at":"2026-01-02T10:00:00Z"}\n');
    const datasets = `datasets: [
      defineDataset({
        name: "sales", description: "Sales.", columns: { id: z.int() }, key: ["id"],
        from: fromStream("shop.orders", { map: ({ id }) => ({ id }) }),
      }),
      defineDataset({
        name: "strict", description: "Sales.", columns: { id: z.int().min(10) }, key: ["id"],
        from: fromStream("shop.orders", { map: ({ id }) => ({ id }) }),
      }),
    ],`;
    const imports = 'import { defineDataset, fromStream, z } from "leat";';
    const project = orderProject({ more: datasets, imports }).replace(', end: {}, spanMax: "24h"', "");
    folder.write("leat.config.ts", project);
    const server = folder.start(["serve-sync", "--port", "0"], {});
    await server.saw("listening on");
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output())![0];
    const ask = async (path: string) => (await fetch(`${url}${path}`, { method: "POST" })).json();
    expect(await ask("/orders?tenant_id=414")).toMatchObject({ load: { loaded: 1 } });
    expect(await ask("/build?dataset=sales")).toMatchObject({
      ok: true,
      datasets: [{ dataset: "sales", ok: true, status: "published", rows: 1 }],
    });
    expect(await ask("/build")).toMatchObject({
      code: "ROW_INVALID",
      failure_count: 1,
      result: {
        datasets: [
          { dataset: "sales", ok: true, status: "unchanged", rows: 1 },
          { dataset: "strict", ok: false },
        ],
      },
    });
    expect(await ask("/build?dataset=sale")).toMatchObject({ status: 404, code: "DATASET_UNKNOWN" });
    server.child.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
  } finally {
    folder.remove();
  }
});
