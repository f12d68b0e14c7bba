/** Names in every script and of every length: of tenants, columns, values and tasks, wide and narrow. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectClean } from "./expect-clean.ts";
import { type Console, openConsole } from "./open-console.ts";

/** Left to right and the other way, wide and combined letters, signs that addresses and pages give a meaning, no end. */
const names = [
  "東京支店・中央区",
  "متجر القاهرة",
  "Zoë Ñandú 👩🏽‍🌾",
  "a/b?c=d&e#f%2F",
  `<img src=x onerror="alert(1)">`,
  `long-${"x".repeat(120)}`,
] as const;

const project = `
import { defineProject, defineSource, syncFlow } from "leat";
const shop = defineSource({
  name: "shop",
  streams: {
    orders: {
      primaryKey: "id",
      records: "lines",
      pages: async function* ({ tenant }) {
        yield new TextEncoder().encode(JSON.stringify({ id: 1, "名前 – الاسم": tenant.id, ["column_" + "y".repeat(90)]: tenant.id.repeat(20) }) + "\\n");
      },
    },
  },
});
const tenants = ${JSON.stringify(names)}.map((id) => ({ id }));
export default defineProject({ name: "odd", sources: [shop], tenants, flows: [syncFlow()] });
`;

let desk: Console;
let run: string;
beforeAll(async () => {
  desk = await openConsole(project);
  ({ id: run } = await desk.run("sync"));
  await desk.until(run, ["succeeded"]);
}, 120_000);
afterAll(async () => {
  await desk?.[Symbol.asyncDispose]();
});

test.each([
  { name: "wide", viewport: { width: 1280, height: 720 } },
  { name: "narrow", viewport: { width: 390, height: 844 } },
])("$name: every name is shown as it is, leads to its own page, and makes no page wider than its window", async ({
  viewport,
}) => {
  await using visit = await desk.visit("/", { viewport });
  const { page } = visit;
  const look = async (path: string, shown: string): Promise<void> => {
    await page.goto(`${desk.url}${path}`);
    await page.getByText(shown).first().waitFor();
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow, path).toBeLessThanOrEqual(0);
  };
  for (const name of names) {
    const tenant = encodeURIComponent(name);
    await look(`/sources/shop/${tenant}/orders`, name);
    await look(`/sources/shop/${tenant}/orders?tab=sample`, "First 1 record");
    await look(`/loads/shop.orders/${tenant}/1`, name);
    await look(`/runs?tenant=${tenant}`, `Runs for tenant ${name}`);
  }
  await look("/sources/shop", names[0]);
  await expectClean(visit);
  await look("/tables/shop.orders", "名前 – الاسم");
  await look(`/runs/${run}?tab=outputs`, `sync:shop.orders:${names[1]}`);
  await page.goto(`${desk.url}/sources/shop`);
  await page.getByRole("row").filter({ hasText: names[3] }).getByRole("link").first().click();
  await page.waitForURL(`**/sources/shop/${encodeURIComponent(names[3])}/orders`);
  await page.getByRole("heading", { name: "orders", exact: true }).waitFor();
  await expectClean(visit);
});
