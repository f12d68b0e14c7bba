/** Plants of every customer at one partner: what changed since last time, per tenant and licence. */

// In a project of your own: import { defineProject, rest } from "leat";
import { defineProject, defineShare, type Project, rest, shareFlow, syncFlow } from "../../src/index.ts";

/** Ranges of at most a day, both ends included; asked for once per licence of the tenant. */
const byLicense = {
  partitions: { perTenant: "licenses", column: "license_number" },
  params: { licenseNumber: "{partition}" },
} as const;

const lastModified = (field: string) =>
  ({
    field,
    // "0001-01-01" in a record means never; such records are landed and do not move the cursor.
    minimum: "2000-01-01",
    initial: process.env["STASHSTOCK_SINCE"] ?? "2026-01-01",
    // The partner shows some changes only half a minute after the time they carry.
    lag: "1m",
    spanMax: "24h",
    start: { param: "lastModifiedStart", inclusive: true },
    end: { param: "lastModifiedEnd" },
  }) as const;

/** v1 answers with a bare array, all at once. */
const asArray = {
  ...byLicense,
  primaryKey: "Label",
  cursor: lastModified("LastModified"),
  pagination: { type: "single" },
} as const;

/** v2 answers in pages of at most 20; a range has an end and a total, so a shift between pages is noticed. */
const asPages = {
  ...asArray,
  records: "Data",
  pagination: {
    type: "pageNumber",
    param: "pageNumber",
    sizeParam: "pageSize",
    size: 20,
    totalPath: "Total",
    totalPagesPath: "TotalPages",
  },
} as const;

const stashstock = rest({
  name: "stashstock",
  // One server a state at the real partner; here, one path.
  baseUrl: `${process.env["STASHSTOCK_URL"] ?? "http://127.0.0.1:8414"}/{tenant.state}`,
  auth: { type: "basic", username: "env:STASHSTOCK_VENDOR_KEY", password: "{tenant.userKey}" },
  rateLimit: { requests: 100, perMs: 1000 },
  streams: {
    metrc_plants: {
      ...byLicense,
      path: "/plants/v1/all",
      records: "[*].plants[*]",
      primaryKey: "label",
      cursor: lastModified("lastModified"),
      pagination: { type: "single" },
      landingTable: "gcs_metrc_plants",
    },
    plants_vegetative: { ...asArray, path: "/plants/v1/vegetative" },
    plants_flowering: { ...asPages, path: "/plants/v2/flowering" },
    plants_inactive: { ...asPages, path: "/plants/v2/inactive" },
  },
});

/** Where the customers' warehouses are that are files of this machine. */
const customers = process.env["STASHSTOCK_CUSTOMERS"] ?? ".leat/customers";

/** Each customer's own warehouse. Addresses with passwords are secrets, looked up when that customer's turn comes. */
const warehouses: Readonly<Record<string, string>> = {
  414: `duckdb:${customers}/414.duckdb`,
  41: `parquet:${customers}/41`,
  733: process.env["STASHSTOCK_POSTGRES_733"]
    ? "env:STASHSTOCK_POSTGRES_733"
    : `duckdb:${customers}/733.duckdb`,
};

/** Each customer gets its own plants, and nobody else's, into a warehouse of its own. */
const replicas = defineShare({
  name: "replicas",
  schema: "plants",
  streams: [
    { stream: "stashstock.metrc_plants", table: "metrc" },
    // Of the list of flowering plants some columns, two of them by other names, and where they stand as a hash.
    {
      stream: "stashstock.plants_flowering",
      table: "flowering",
      columns: {
        Id: "id",
        Label: "label",
        LastModified: "last_modified",
        StrainName: true,
        LocationName: { mask: true, optional: true },
      },
    },
  ],
  salt: "env:STASHSTOCK_SHARE_SALT",
  to: (tenant) => warehouses[tenant.id] ?? `duckdb:${customers}/${tenant.id}.duckdb`,
});

const project: Project = defineProject({
  name: "stashstock",
  sources: [stashstock],
  // Every morning, a run per tenant and stream; `leat up` runs it, `leat run sync` does so now.
  flows: [
    syncFlow({
      perSource: 4,
      schedules: [{ cron: "0 5 * * *", timezone: "America/Denver", lateAfter: "3h" }],
    }),
    // After each load, into the customers' warehouses.
    shareFlow(),
  ],
  shares: [replicas],
  tenants: "tenants.json",
  landing: "file:.leat/landing",
  warehouse: "duckdb:.leat/warehouse.duckdb",
});
export default project;
