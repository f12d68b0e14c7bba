/** A partner's accounts beside a publisher's files: each source is read for whom it says, by every command. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, type TestFolder } from "./leat-process.ts";

const config = (prices: string): string => `
import { csv, defineDataset, defineProject, defineSource, files, fromFiles, z } from "leat";
const pages = async function* ({ tenant }) { yield [{ id: 1, of: tenant.id }]; };
export default defineProject({
  name: "both",
  tenants: "tenants.json",
  sources: [
    defineSource({ name: "shop", streams: { orders: { primaryKey: "id", pages } } }),
    defineSource({ name: "market", tenants: ${prices}, streams: { prices: { primaryKey: "id", pages } } }),
    files({ name: "office", tenants: "none", streams: { sheets: { folder: "sheets", match: "{year}.csv" } } }),
  ],
  datasets: [
    defineDataset({
      name: "deaths",
      description: "Deaths by area.",
      key: ["area"],
      columns: { area: z.string(), deaths: z.int() },
      from: fromFiles("office.sheets", { read: csv({ columns: { area: "area", deaths: "deaths" } }) }),
    }),
  ],
});
`;

let folder: TestFolder;
beforeAll(() => {
  folder = makeFolder();
  folder.write("tenants.json", '[{"id":"414"},{"id":"415"},{"id":"416"}]');
  folder.write("sheets/2018.csv", "area,deaths\nE1,4\nE2,5\n");
  folder.write("leat.config.ts", config('["414", "415"]'));
});
afterAll(() => folder.remove());

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await folder.leat(...args, "--json", "--quiet");
  return { code, stderr, value: JSON.parse(stdout) };
};
const print = (items: readonly { source: string; tenant_id: string }[]): string =>
  items.map(({ source, tenant_id }) => `${source} ${tenant_id}`).join(", ");

describe("sources that are read for different tenants", () => {
  test("are synced, each for its own", async () => {
    const { code, stderr, value } = await json("sync");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(print(value.results)).toBe("shop 414, shop 415, shop 416, market 414, market 415, office default");
  });

  test("give a dataset of the publisher's files, which are one tenant's", async () => {
    const { code, stdout } = await folder.leat("build", "deaths");
    expect({ code, rows: /(\d+) rows/.exec(stdout)?.[1] }).toEqual({ code: 0, rows: "2" });
  });

  test("are told where a stream is not read for a tenant that was named", async () => {
    const { code, stderr } = await folder.leat("sync", "office.sheets", "--tenant", "414");
    expect(code).toBe(2);
    expect(stderr).toContain('TENANT_NOT_READ: office.sheets: not read for tenant "414".');
    expect(stderr).toContain('"office" belongs to no tenant: leave the tenant out.');
  });

  test("keep what was landed for a tenant that is left out later, and state says so", async () => {
    folder.write("leat.config.ts", config('["414"]'));
    const { value } = await json("state", "show", "market");
    expect(value).toMatchObject([
      { source: "market", tenant_id: "414", seq: 1, is_read: true },
      { source: "market", tenant_id: "415", seq: 1, is_read: false },
    ]);
    expect((await folder.leat("state", "show", "market")).stdout).toContain(
      "Not read any more, what is landed stays: market.prices 415.",
    );
  });

  test("that name a tenant which is not there are refused with the known ones", async () => {
    folder.write("leat.config.ts", config('["414", "441"]'));
    const { code, stdout, stderr } = await folder.leat("check");
    expect({ code, isWell: stdout.includes("All is well") }).toEqual({ code: 2, isWell: false });
    expect(stderr).toContain('The source "market" names tenant "441", which the project does not have.');
    expect(stderr).toContain("Known tenants: 414, 415, 416.");
  });
});
