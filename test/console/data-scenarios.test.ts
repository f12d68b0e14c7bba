/** Scenarios of the pages that show what has come: cursors, files, loads, rows, queries, secrets. On a real server and browser. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consoleProject } from "./console-project.ts";
import { expectClean } from "./expect-clean.ts";
import { type Console, openConsole } from "./open-console.ts";
import { watchSecrets } from "./watch-secrets.ts";

/** Rows of `orders`: more than a table holds at once, and few enough to be built for a test. */
const orderCount = 100_000;

const orders = `
const orders = defineDataset({
  name: "orders",
  description: "Orders of a shop.",
  columns: {
    id: z.int().meta({ description: "Number of the order." }),
    "customer – имя": z.string(),
    status: z.string(),
    endpoint: z.string(),
    amount: z.int(),
  },
  key: ["id"],
  from: fromSql("SELECT i AS id, 'Zoë, \\"名\\" ' || (i % 500) AS \\"customer – имя\\", ['paid', 'open', 'refunded', 'paid'][1 + (i % 4)::INT] AS status, ['shop', 'app', 'phone'][1 + (i % 3)::INT] AS endpoint, (i * 7919) % 100000 AS amount FROM range(1, ${orderCount + 1}) t(i)", {}),
});
`;

const config = consoleProject
  .replace("import { defineApi,", "import { defineApi, defineDataset, fromSql,")
  .replace("export default", `${orders}export default`)
  .replace("datasets: ons.datasets", "datasets: [...ons.datasets, orders]");

const stream = "stashstock.metrc_plants";
const endpoint = "/sources/stashstock/41/metrc_plants";

let desk: Console;
beforeAll(async () => {
  desk = await openConsole(config);
  const sync = await desk.run("sync", { streams: ["stashstock"] });
  await desk.until(sync.id, ["succeeded", "failed"]);
  const built = await desk.folder.leat("build", "orders");
  if (built.code !== 0) throw new Error(built.stdout + built.stderr);
  await desk.ask("data/datasets/orders/rows?limit=1"); // It is in memory from now on.
}, 120_000);
afterAll(async () => {
  await desk?.[Symbol.asyncDispose]();
});

type Place = Readonly<{ seq: number; place: Readonly<{ next: string }> }>;

const readPlace = (): Promise<Place> => desk.ask<Place>(`streams/${stream}/tenants/41`);

/** What the other person does. */
const setCursor = (body: object, seq: number): Promise<Response> =>
  fetch(`${desk.url}/api/streams/${stream}/tenants/41/cursor`, {
    method: "PUT",
    headers: { "content-type": "application/json", "if-match": `"${seq}"` },
    body: JSON.stringify(body),
  });

/** Makes the newest run of the endpoint one that its worker is still busy with, or one that is over. */
function setState(state: "running" | "succeeded"): void {
  const ledger = new DatabaseSync(join(desk.folder.path, ".leat/ledger.db"));
  try {
    ledger.exec("PRAGMA busy_timeout = 5000");
    const newest = "SELECT id FROM run WHERE limit_key = ? ORDER BY created_at DESC LIMIT 1";
    const set = ledger.prepare(`UPDATE run SET state = ? WHERE id = (${newest})`);
    expect(Number(set.run(state, `sync:${stream}:41`).changes)).toBe(1);
  } finally {
    ledger.close();
  }
}

/** Choose from a list that opens below its button. */
async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole("combobox", { name: label, exact: true }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

test("rewind one tenant: both values and a warning are seen, the name is typed, and the next run reads from there", async () => {
  const before = await readPlace();
  await using visit = await desk.visit("/sources");
  const { page } = visit;
  await page.getByRole("link", { name: "stashstock", exact: true }).click();
  await page.getByLabel("Find by name").fill("metrc_plants");
  await page
    .getByRole("row")
    .filter({ hasText: stream })
    .filter({ has: page.getByText("41", { exact: true }) })
    .getByRole("link", { name: stream })
    .click();
  await page.getByRole("tab", { name: "Cursor and history" }).click();
  await page.getByRole("button", { name: "Edit cursor …" }).click();
  const dialog = page.getByRole("dialog", { name: `Set the cursor of ${stream}` });
  await dialog.getByRole("button", { name: "Yesterday" }).click();
  const asked = await dialog.getByLabel("New beginning of the next range").inputValue();
  await dialog.getByText(before.place.next).waitFor();
  await dialog.getByText("Records equal to what is landed are dropped.").waitFor();
  await expectClean(visit);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("✕ Type metrc_plants to confirm.").waitFor();
  expect(await readPlace()).toMatchObject({ seq: before.seq });
  await dialog.getByLabel("Why").fill("the partner has mended yesterday");
  await dialog.getByLabel("Type metrc_plants to confirm").fill("metrc_plants");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const row = page
    .getByRole("grid", { name: "History of the cursor" })
    .getByRole("row")
    .filter({ hasText: "Set by hand" });
  expect(await row.textContent()).toContain("the partner has mended yesterday");
  expect(await row.locator("time").textContent()).toMatch(/now|ago/);
  await expectClean(visit);
  const after = await readPlace();
  expect(Date.parse(after.place.next)).toBe(Date.parse(asked));
  const run = await desk.run("sync", { streams: ["stashstock"] });
  await desk.until(run.id, ["succeeded", "failed"]);
  const { packages } = await desk.ask<{ packages: { seq: number; before: { next: string } }[] }>(
    `streams/${stream}/packages?tenant=41`,
  );
  expect(packages.find(({ seq }) => seq === after.seq + 1)?.before.next).toBe(after.place.next);
  // What was set by hand is a package too, and nobody waits for rows of it.
  await page.goto(`${desk.url}/loads/${stream}/41/${after.seq}`);
  await page.getByText("It has no rows to load.").waitFor();
  await page.getByText("Nothing to load", { exact: true }).waitFor();
  await expectClean(visit);
});

test("while a run is under way the cursor cannot be edited, and the server says so as well", async () => {
  setState("running");
  try {
    await using visit = await desk.visit(`${endpoint}?tab=cursor&edit=1`);
    await visit.page.getByText("It is being read right now").waitFor();
    expect(await visit.page.getByRole("button", { name: "Edit cursor …" }).isDisabled()).toBe(true);
    expect(await visit.page.getByRole("dialog").count()).toBe(0);
    await expectClean(visit);
    const { seq } = await readPlace();
    const answer = await setCursor({ to: "2026-10-02", confirm: stream }, seq);
    expect([answer.status, await answer.json()]).toMatchObject([409, { code: "STREAM_RUNS" }]);
  } finally {
    setState("succeeded");
  }
});

test("two people edit one cursor: the second is told, sees the new value, and loses nothing of what was typed", async () => {
  await using visit = await desk.visit(`${endpoint}?tab=cursor&edit=1`);
  const { page } = visit;
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("New beginning of the next range").fill("2026-11-01");
  await dialog.getByLabel("Type metrc_plants to confirm").fill("metrc_plants");
  const { seq } = await readPlace();
  expect((await setCursor({ to: "2026-10-01", confirm: stream }, seq)).status).toBe(200);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog
    .getByRole("alert")
    .getByText(/was seen; nothing was changed/)
    .waitFor();
  expect(await dialog.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
  await dialog.getByRole("button", { name: "Show the new value" }).click();
  await dialog.getByText(/^2026-10-01T00:00:00/).waitFor();
  expect(await dialog.getByLabel("New beginning of the next range").inputValue()).toBe("2026-11-01");
  await expectClean(visit, /412/);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  expect((await readPlace()).place.next).toMatch(/^2026-11-01T00:00:00/);
});

test("what arrived: from the newest load to its columns, its file with its checksum, and its rows", async () => {
  await using visit = await desk.visit("/loads");
  const { page } = visit;
  await page.getByLabel("Find by name").fill(stream);
  const row = page
    .getByRole("row")
    .filter({ hasText: `${stream} 1` })
    .filter({ hasText: "733" });
  await expectClean(visit);
  await row.getByRole("link", { name: `${stream} 1` }).click();
  await page.getByText("Rows loaded").waitFor();
  await page.getByRole("tab", { name: "Schema changes" }).click();
  await page
    .getByRole("row")
    .filter({ hasText: "growthPhase" })
    .filter({ hasText: "added as text" })
    .waitFor();
  await page.getByRole("tab", { name: /^Rejects/ }).click();
  await page.getByText("Every record fitted").waitFor();
  await expectClean(visit);
  await page.getByRole("link", { name: "Files", exact: true }).click();
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("✓ as it was landed").waitFor();
  await page
    .getByLabel("preview")
    .getByText(/"tenant_id":"733"/)
    .waitFor();
  await expectClean(visit);
  await page.getByRole("link", { name: "its rows" }).click();
  await page.getByRole("button", { name: "Remove: load 1" }).waitFor();
  const { total } = await desk.ask<{ total: number }>(`streams/${stream}/rows?tenant=733&seq=1&total=true`);
  await page.getByText(`${total} rows`, { exact: true }).waitFor();
  await page.getByRole("row").nth(1).click();
  await page.getByRole("complementary", { name: "Row 1" }).getByRole("link", { name: "its load" }).waitFor();
  await expectClean(visit);
  await page.goBack();
  await page.getByText("Landed files").first().waitFor();
});

test("explore the data: first rows within a second, a view that stays through reload and Back, and exactly its rows as a file", async () => {
  await using visit = await desk.visit("/datasets");
  const { page } = visit;
  const link = page.getByRole("link", { name: "orders", exact: true });
  const took: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    await link.waitFor();
    const startedAt = performance.now();
    await link.click();
    await page.getByRole("grid", { name: "Rows of orders" }).getByRole("row").nth(5).waitFor();
    took.push(performance.now() - startedAt);
    if (turn < 2) await page.goto(`${desk.url}/datasets`);
  }
  expect(Math.min(...took)).toBeLessThan(1000); // The best of three: the machine has other things to do.
  await page.getByText("100,000 rows", { exact: true }).waitFor();

  await page.getByRole("button", { name: "Facets" }).click();
  await page.getByRole("combobox", { name: "Facet" }).fill("status");
  await page.getByRole("option", { name: "status", exact: true }).click();
  await page.getByRole("checkbox", { name: /^paid/ }).check();
  await page.getByText("50,000 rows", { exact: true }).waitFor();
  await page.getByRole("button", { name: "amount", exact: true }).click();
  await page.locator('th[aria-sort="descending"]', { hasText: "amount" }).waitFor(); // Of numbers the greatest first.
  await page.getByRole("button", { name: "Columns", exact: true }).click();
  for (const column of ["id", "endpoint"])
    await page.getByRole("menuitemcheckbox", { name: column, exact: true }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("columnheader", { name: "endpoint" }).waitFor({ state: "detached" });
  const seen = async (): Promise<readonly unknown[]> => [
    (await page.getByRole("row").nth(1).textContent()) ?? "",
    await page.getByRole("columnheader").count(),
    await page.getByRole("checkbox", { name: /^paid/ }).isChecked(),
  ];
  await expect.poll(seen).toEqual([expect.stringContaining("paid99997"), 3, true]);
  const view = await seen();
  await expectClean(visit);
  await page.reload();
  await expect.poll(seen).toEqual(view);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await page.goBack();
  await expect.poll(seen).toEqual(view);

  await page.getByRole("button", { name: "Export" }).click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "Export CSV" }).click(),
  ]);
  const lines = (await readFile((await file.path())!, "utf8")).trimEnd().split("\r\n");
  expect(lines.length).toBe(50_001);
  expect(lines.slice(1).every((line) => /,paid,/.test(line))).toBe(true);
  expect(lines[1]).toContain("99997");

  await page.getByRole("tab", { name: "Chart" }).click();
  await page.getByRole("combobox", { name: "Along" }).fill("endpoint");
  await page.getByRole("option", { name: "endpoint", exact: true }).click();
  await page.locator("figcaption", { hasText: "sum(amount) by endpoint, where status = paid" }).waitFor();
  await page.locator("figure svg").first().waitFor();
  await expectClean(visit);
  await page.getByRole("button", { name: "Show as table" }).click();
  expect(await page.getByRole("grid", { name: "Numbers of the chart" }).getByRole("row").count()).toBe(4);
  await page.getByRole("tab", { name: "Table" }).click();
  await page.getByRole("button", { name: "Use as" }).click();
  await page.getByRole("menuitem", { name: "Open as SQL" }).click();
  await page
    .getByRole("grid", { name: "Answer" })
    .getByRole("row")
    .nth(1)
    .filter({ hasText: "99997" })
    .waitFor();
  await page.getByText(/^200 rows in/).waitFor();
  await expectClean(visit);
  const editor = page.getByRole("textbox", { name: "SQL query" });
  await editor.fill("DELETE FROM orders");
  await editor.press("Control+Enter");
  await page.getByText("DELETE is refused: published datasets are read here and never changed.").waitFor();
  await editor.fill("SELECT count(*) AS every FROM orders");
  await editor.press("Control+Enter");
  await page.getByRole("gridcell", { name: String(orderCount) }).waitFor();
  await expectClean(visit);
}, 90_000);

test("a condition is made by keyboard alone, what is no number is told by its field, and nothing that fits is told apart from nothing there", async () => {
  await using visit = await desk.visit("/datasets/orders");
  const { page } = visit;
  await page.getByRole("row").nth(1).waitFor();
  await page.getByRole("button", { name: "Filter" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Add a filter" });
  const column = dialog.getByRole("combobox", { name: "Column" });
  await column.focus();
  await column.fill("amount");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await choose(page, "Condition", "≥");
  await dialog.getByLabel("Value", { exact: true }).fill("many");
  await page.keyboard.press("Enter");
  await dialog.getByText("✕ many is not a number.").waitFor();
  await expectClean(visit);
  await dialog.getByLabel("Value", { exact: true }).fill("1000000");
  await page.keyboard.press("Enter");
  await page.locator('[data-empty="filtered"]').waitFor();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("row").nth(1).waitFor();
  await page.goto(`${desk.url}/datasets/nothing`);
  await page.locator('[data-empty="none"]').getByText('The project has no dataset "nothing"').waitFor();
  await page.goto(`${desk.url}/files?stream=${stream}&tenant=733&seq=999`);
  await page.locator('[data-empty="filtered"]').getByText("Package 999 has no files").waitFor();
  await page.goto(`${desk.url}/files`);
  await page.locator('[data-empty="unselected"]').waitFor();
  await page.goto(`${desk.url}/sources/stashstock/nobody/metrc_plants`);
  await page.locator('[data-empty="none"]').getByText('There is no tenant "nobody".').waitFor();
  await expectClean(visit, /404/);
});

test("add a secret and an alert: the value is in no page and no answer, a connection answers, the test of the alert is delivered", async () => {
  const value = "s3cr3t-of-the-hook";
  const delivered: string[] = [];
  const hook = createServer((request, response) => {
    delivered.push(request.url ?? "");
    response.end("ok");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => hook.once("listening", resolve));
  try {
    const { port } = hook.address() as AddressInfo; // It listens on a port.
    await using visit = await desk.visit("/secrets");
    const { page } = visit;
    const expectUntold = watchSecrets(desk, page);
    await page.getByRole("button", { name: "New secret" }).click();
    const dialog = page.getByRole("dialog", { name: "New secret" });
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("✕ Type the value.").waitFor();
    expect(await page.evaluate("document.activeElement.labels[0].textContent")).toBe("Name");
    await dialog.getByLabel("Name").fill("HOOK_URL");
    await dialog.getByLabel("Value").fill(`http://127.0.0.1:${port}/${value}`);
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("row").filter({ hasText: "HOOK_URL" }).filter({ hasText: "Set" }).waitFor();
    await expectClean(visit);
    await page.getByRole("link", { name: "Connections", exact: true }).click();
    await page.getByRole("button", { name: "Test stashstock" }).click();
    await page.getByText("It answers").waitFor();
    await page.getByRole("link", { name: "Alerts" }).click();
    await page.getByRole("button", { name: "New rule …" }).click();
    const rule = page.getByRole("dialog", { name: "New rule" });
    await rule.getByLabel("Name").fill("plants late by 1 h");
    await rule.getByLabel("Stream").selectOption(stream);
    await rule.getByLabel("Tell").selectOption("webhook");
    await rule.getByLabel(/Address|URL/).fill("env:HOOK_URL");
    await rule.getByRole("button", { name: "Make the rule" }).click();
    await rule.waitFor({ state: "detached" });
    await page.getByRole("tab", { name: /^Rules/ }).click();
    await page.getByRole("button", { name: "Send test of plants late by 1 h" }).click();
    await expect.poll(() => delivered).toEqual([`/${value}`]);
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByText("plants late by 1 h").first().waitFor();
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("radio", { name: "Dark" }).check();
    await page.reload();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    await page.getByText("Project and server").waitFor();
    await expectClean(visit);
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByRole("link", { name: "env:HOOK_URL" }).waitFor();
    await expectClean(visit);
    await expectUntold([value], 10);
  } finally {
    hook.close();
  }
});
