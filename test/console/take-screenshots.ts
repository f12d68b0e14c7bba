/**
 * Every page of a console, light and dark, wide and narrow, as pictures to be looked at:
 * `npm run console`, and in another terminal `node test/console/take-screenshots.ts http://127.0.0.1:PORT [FOLDER]`.
 * Tells pages that are wider or higher than their window, and what axe finds; ends with 1 where there are such.
 */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser, watchPage } from "../browser/open-browser.ts";

const [url, named] = process.argv.slice(2);
if (url === undefined) throw new Error("Name the address of a console, as `npm run console` prints it.");
const folder = named ?? mkdtempSync(join(tmpdir(), "leat-screenshots-"));
mkdirSync(folder, { recursive: true });

/** Until what a page asks for has come, ms: pictures are for people, and a late one is seen. */
const settleMs = 1500;

const ask = async <Answer>(path: string): Promise<Answer> =>
  (await (await fetch(`${url}/api/${path}`)).json()) as Answer; // What the API's description says.

/** Addresses with things that this console has: its newest run that failed or else its newest, its first stream. */
async function listPages(): Promise<readonly string[]> {
  const { runs } = await ask<{ runs: { id: string; state: string; deployment: string }[] }>("runs?limit=50");
  const run = runs.find(({ state }) => state === "failed") ?? runs[0];
  const { sources } = await ask<{ sources: { name: string; streams: { name: string }[] }[] }>("sources");
  const { datasets } = await ask<{ datasets: { name: string; version: string | null }[] }>("datasets");
  const { tenants } = await ask<{ tenants: string[] }>("tenants");
  const source = sources[0];
  const stream = `${source?.name}/${tenants[0]}/${source?.streams[0]?.name}`;
  const loaded = `${source?.name}.${source?.streams[0]?.name}`;
  const dataset = datasets.findLast(({ version }) => version !== null)?.name;
  return [
    "/",
    "/runs",
    "/runs?view=timeline",
    `/runs?tenant=${tenants[0]}`,
    ...(run === undefined
      ? []
      : ["", "?tab=tasks", "?tab=outputs", "?tab=parameters", "?tab=events"].map(
          (tab) => `/runs/${run.id}${tab}`,
        )),
    ...["open", "rules", "channels", "history"].map((tab) => `/alerts?tab=${tab}`),
    "/flows",
    ...(run === undefined
      ? []
      : [
          `/flows/${run.deployment}`,
          `/deployments/${run.deployment}`,
          `/deployments/${run.deployment}?run=true`,
        ]),
    "/deployments",
    "/schedules",
    "/sources",
    `/sources/${source?.name}`,
    ...["status", "cursor", "runs", "files", "sample"].map((tab) => `/sources/${stream}?tab=${tab}`),
    "/files",
    "/loads",
    `/loads/${loaded}/${tenants[0]}/1`,
    `/tables/${loaded}`,
    "/datasets",
    ...(dataset === undefined
      ? []
      : ["table", "chart", "columns", "quality", "versions", "lineage"].map(
          (tab) => `/datasets/${dataset}?tab=${tab}`,
        )),
    "/sql",
    "/reference",
    "/connections",
    "/secrets",
    "/settings",
    "/audit",
    "/no/such/page",
  ];
}

const pages = await listPages();
const browser = await openBrowser();
let faults = 0;
for (const colorScheme of ["light", "dark"] as const)
  for (const width of [1280, 390]) {
    const height = width === 390 ? 844 : 800;
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const { page, violations } = await watchPage(context, url);
    for (const path of pages) {
      await page.goto(url + path, { waitUntil: "load" });
      await page.waitForTimeout(settleMs);
      const name = `${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "") || "home"}-${width}-${colorScheme}.png`;
      await page.screenshot({ path: join(folder, name) });
      const [wide = 0, high = 0]: number[] = await page.evaluate(
        "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]",
      );
      const found = [
        ...(wide > 0 ? [`${wide} px too wide`] : []),
        ...(high > 0 ? [`${high} px too high`] : []),
        ...(await violations()),
      ];
      for (const one of found) console.log(`${name}: ${one}`);
      faults += found.length;
    }
    await context.close();
  }
await browser.close();
console.log(`${pages.length} pages, four pictures each, in ${folder}; ${faults} faults.`);
if (faults > 0) process.exitCode = 1;
