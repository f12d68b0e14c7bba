/** The delivery that the matrix of shares breaks: what is landed, what the share says, and how it is made. */
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { openTenantVersions } from "../../src/dataset/open-tenant-versions.ts";
import { defineDataset } from "../../src/define/define-dataset.ts";
import { fromRows } from "../../src/define/define-dataset-inputs.ts";
import { defineShare } from "../../src/define/define-share.ts";
import { toTenantId } from "../../src/model/ids.ts";
import { deliverShare } from "../../src/share/deliver-share.ts";
import type { ShareMode, ShareOutcome } from "../../src/share/share-job.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { makeStreamSpec } from "../../src/testing/warehouse-under-test.ts";
import { writeTenantRows } from "../../src/warehouses/duckdb/tenant-rows.ts";
import { openTarget } from "../share/open-target.ts";

const stream = makeStreamSpec({ source: "farm", name: "plants", deletedField: "gone" });
const tenant = toTenantId("414");

/** Of a stream, what is kept of it; or a dataset across tenants. */
export const keeps = ["history", "current", "dataset"] as const;
export type Keep = (typeof keeps)[number];

/** What is broken: a delivery of news, which widens a type and rejects a record, or a full one in its place. */
export const brokenModes: readonly ShareMode[] = ["deliver", "full"];

const book = defineDataset({
  name: "book",
  description: "Whose is what.",
  columns: { owner: z.string(), n: z.int(), mail: z.string().nullable() },
  key: ["owner", "n"],
  tenantColumn: "owner",
  from: fromRows(() => []),
});

/** Lands into `before`, and into `after` the same and the news. */
export async function landNews(before: string, after: string): Promise<void> {
  const { landRecords } = await import("../share/land-records.ts");
  const { publishRows } = await import("../share/publish-rows.ts");
  const { plant } = await import("../../src/testing/warehouse-under-test.ts");
  const place = { source: "farm", stream: "plants", tenant };
  await mkdir(before);
  const store = openFsStore(join(before, "landing"));
  await landRecords(store, place, [
    plant(1, "2024-01-01", '"v":1,"mail":"a"'),
    plant(2, "2024-01-01", '"v":2'),
  ]);
  await publishRows(
    store,
    book,
    [1, 2, 3].map((n) => ({ owner: n < 3 ? "414" : "41", n, mail: "a" })),
  );
  await cp(before, after, { recursive: true });
  const more = openFsStore(join(after, "landing"));
  await landRecords(more, place, [plant(1, "2024-01-02", '"v":"text","mail":"b"'), plant(3, "2024-01-02")]);
  await landRecords(more, place, [plant(2, "2024-01-03", '"gone":true'), plant(1, "2024-01-01", '"v":3')]);
  await publishRows(
    more,
    book,
    [2, 3, 4].map((n) => ({ owner: n > 2 ? "414" : "41", n, mail: "b" })),
  );
}

/** Delivers what is landed in `folder`; also what the child does. */
export async function deliverFrom(
  folder: string,
  address: string,
  keep: Keep,
  mode: ShareMode,
): Promise<ShareOutcome> {
  const workFolder = await mkdtemp(join(folder, "work-"));
  const columns = {
    id: true,
    modified: true,
    gone: { optional: true },
    v: { as: "value", optional: true },
    mail: { mask: true, optional: true },
  } as const;
  const share = defineShare({
    name: "replica",
    ...(keep === "dataset"
      ? { datasets: [{ dataset: "book", columns: { n: true, mail: { mask: true } } }] }
      : { streams: [{ stream: "farm.plants", columns }], keep }),
    to: address,
    salt: "env:SALT",
    deadline: "5m",
  });
  const store = openFsStore(join(folder, "landing"));
  try {
    return await deliverShare(
      {
        store,
        versions: openTenantVersions(store, writeTenantRows, workFolder),
        secrets: { resolve: async () => "a salt that nobody can guess" },
        openTarget: (at) => openTarget(at, workFolder),
        progress: () => {},
        workFolder,
      },
      {
        project: "farm",
        share,
        tenant: { id: tenant, fields: {} },
        mode,
        streams: new Map([["farm.plants", stream]]),
        datasets: new Map([[book.name, book]]),
        tenantColumn: "tenant_id",
      },
      new AbortController().signal,
    );
  } finally {
    await rm(workFolder, { recursive: true, force: true, maxRetries: 5 });
  }
}
