/**
 * What the compose check has its containers work on: a source slow enough for its worker to be killed in the middle, a
 * sync, and a dataset that is built of what has arrived.
 */

/** Tenants that `leat init` writes. */
const tenantCount = 2;
const pagesPerTenant = 40;
const rowsPerPage = 50;
const pageMs = 150;
/** How long the pages of a tenant take, ms. */
export const pagesMs: number = pagesPerTenant * pageMs;
/** Rows of all tenants. */
export const rowCount: number = tenantCount * pagesPerTenant * rowsPerPage;
/** Each value is its number in its tenant's rows, from 0. */
export const valueSum: number =
  (tenantCount * (pagesPerTenant * rowsPerPage) * (pagesPerTenant * rowsPerPage - 1)) / 2;

/** `leat.config.ts` of the project. Its pages take six seconds, in which a worker dies. */
export const composeConfig: string = `
import { setTimeout as sleep } from "node:timers/promises";
import { buildFlow, defineDataset, defineProject, defineSource, fromSql, syncFlow, z } from "leat";

const meters = defineSource({
  name: "meters",
  streams: {
    readings: {
      primaryKey: "id",
      cursor: { field: "id" },
      records: "lines",
      pages: async function* () {
        for (let page = 0; page < ${pagesPerTenant}; page++) {
          await sleep(${pageMs});
          const ids = Array.from({ length: ${rowsPerPage} }, (_, index) => page * ${rowsPerPage} + index);
          yield Buffer.from(ids.map((id) => JSON.stringify({ id, value: id })).join("\\n") + "\\n");
        }
      },
    },
  },
});

const totals = defineDataset({
  name: "totals",
  description: "What all meters have read.",
  columns: { meter: z.string(), readings: z.int(), total: z.int() },
  key: ["meter"],
  from: fromSql("select 'all' as meter, count(*) as readings, sum(value) as total from meters.readings", {
    streams: ["meters.readings"],
  }),
});

export default defineProject({
  name: "shop",
  tenants: "tenants.json",
  sources: [meters],
  datasets: [totals],
  flows: [syncFlow(), buildFlow()],
});
`;
