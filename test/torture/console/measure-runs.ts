/** Runs: home with ten thousand of them, and a run of five thousand mapped tasks. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ConsoleStand, type Figure, painted, watchLongTasks, weigh } from "./console-stand.ts";
import { middle } from "./measure-rows.ts";

/** Makes runs like one that there is, a minute between each and the next. */
function copyRun(stand: ConsoleStand, id: string, copies: number): void {
  using database = new DatabaseSync(join(stand.folder.path, ".leat/ledger.db"));
  database.exec("PRAGMA busy_timeout = 5000");
  const columns = database
    .prepare(
      "select name from pragma_table_info('run') where name not in ('id', 'created_at', 'idempotency_key')",
    )
    .all()
    .map(({ name }) => name)
    .join();
  database.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${copies})
    insert into run (id, created_at, ${columns})
    select printf('%08x-0000-0000-0000-000000000000', i), created_at - i * 60000, ${columns}
    from n join run on run.id = '${id}'`);
}

export async function measureHome(stand: ConsoleStand, runs: number, rounds: number): Promise<Figure[]> {
  copyRun(stand, await stand.run("lines"), runs);
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using opened = await stand.open("/settings");
    const { page } = opened;
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    const beganAt = performance.now();
    await page.getByRole("link", { name: "Home" }).click();
    await page.getByRole("heading", { name: "Runs of 14 days" }).waitFor();
    await painted(page);
    tookMs.push(performance.now() - beganAt);
  }
  return [{ what: `click to home with ${runs} runs`, found: middle(tookMs), unit: "ms", most: 1000 }];
}

export async function measureTasks(stand: ConsoleStand, tasks: number): Promise<Figure[]> {
  const id = await stand.run("fan", { count: tasks });
  const beganAt = performance.now();
  await using opened = await stand.open(`/runs/${id}`);
  const { page } = opened;
  await page.locator("[data-node]").first().waitFor();
  await painted(page);
  const graphMs = performance.now() - beganAt;
  const longest = await watchLongTasks(page);
  await page.getByRole("tab", { name: /^Tasks/ }).click();
  const grid = page.getByRole("grid", { name: "Tasks" });
  await grid.getByRole("row").nth(1).focus();
  const endAt = performance.now();
  await page.keyboard.press("End");
  await grid
    .locator(`tr[aria-rowindex="${tasks + 1}"]`)
    .filter({ hasText: "one" })
    .waitFor();
  await painted(page);
  const lastMs = performance.now() - endAt;
  const { nodes, heapMb } = await weigh(opened);
  return [
    { what: `address to the graph of ${tasks} mapped tasks`, found: graphMs, unit: "ms", most: 2000 },
    { what: "from the first of the tasks to the last", found: lastMs, unit: "ms", most: 1000 },
    { what: "longest task of that page", found: await longest(), unit: "ms", most: 200 },
    { what: "its DOM nodes", found: nodes, unit: "", most: 5000 },
    { what: "its heap", found: heapMb, unit: "MB" },
  ];
}
