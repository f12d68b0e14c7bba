/** Every page of Observe and Build, in the dark and on a narrow window: what is there, or what is the matter. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { fanTasks } from "./console-project.ts";
import { expectClean } from "./expect-clean.ts";
import { type Console, openConsole, type Run } from "./open-console.ts";

let desk: Console;
let noisy: Run;
beforeAll(async () => {
  desk = await openConsole();
  noisy = await desk.run("noisy");
  await desk.until(noisy.id, ["failed"]);
});
afterAll(async () => {
  await desk?.[Symbol.asyncDispose]();
});

test.each([
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 720 } },
  { name: "narrow", colorScheme: "light", viewport: { width: 800, height: 900 } },
] as const)("$name: each page says what is there or what is the matter, and has no violation", async ({
  name: _,
  ...look
}) => {
  const pages = [
    ["/", "Failing now"],
    ["/runs?state=skipped", "No run fits these filters"],
    ["/runs?view=timeline", "Lines by"],
    [`/runs/${noisy.id}?tab=outputs`, "dataset:deaths"],
    [`/runs/${noisy.id}?tab=parameters`, "Attempts"],
    [`/runs/${noisy.id}?tab=events`, "run.failed"],
    ["/runs/ffffffffffffffff", "There is no run"],
    ["/alerts", "No rules yet"],
    ["/flows", "noisy"],
    ["/flows/noisy", "extract_events"],
    ["/flows/deleted", 'There is no flow "deleted"'],
    ["/deployments/dated", "Limits, triggers and notices"],
    ["/schedules?paused=1&find=none", "No schedule fits"],
    ["/what/ever", "This address leads nowhere"],
  ] as const;
  await using visit = await desk.visit("/", look);
  for (const [path, text] of pages) {
    await visit.page.goto(`${desk.url}${path}`);
    await visit.page.getByText(text).first().waitFor();
    expect(await visit.violations(), path).toEqual([]);
    // What is longer than its place is scrolled there: the window stands.
    const overflow: number = await visit.page.evaluate(
      "Math.max(document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight)",
    );
    expect(overflow, path).toBeLessThanOrEqual(0);
  }
  expect(visit.said.filter((line) => !line.includes("404"))).toEqual([]);
  expect(visit.foreign).toEqual([]);
});

test("runs that began just now are bars beside each other, each to be hit, on a narrow window too", async () => {
  const begun = await Promise.all(Array.from({ length: 5 }, () => desk.run("door")));
  await Promise.all(begun.map(({ id }) => desk.until(id, ["failed"])));
  for (const width of [1280, 390]) {
    await using visit = await desk.visit("/runs?view=timeline&since=24h", {
      viewport: { width, height: 844 },
    });
    const { page } = visit;
    const bars = page.getByRole("link", { name: /^door …[0-9a-f]+: Failed/ });
    await expect.poll(() => bars.count()).toBe(5);
    const boxes = (await Promise.all((await bars.all()).map((bar) => bar.boundingBox()))).map((box) => box!);
    for (const [at, one] of boxes.entries()) {
      expect(one.width).toBeGreaterThanOrEqual(23.9);
      expect(one.x + one.width).toBeLessThanOrEqual(width); // Now is in sight.
      for (const other of boxes.slice(at + 1))
        expect(one.y + one.height <= other.y || other.y + other.height <= one.y).toBe(true);
    }
    await bars.last().click();
    await page.getByRole("heading", { level: 1, name: /^door / }).waitFor();
    await page.getByRole("tab", { name: "Parameters" }).click();
    await page.getByRole("listitem").filter({ hasText: "worker" }).filter({ hasText: "Failed" }).waitFor();
    await expectClean(visit);
  }
});

test("a page has its heading and title before the server has answered", async () => {
  const pages = [
    ["/", "Home"],
    [`/runs/${noisy.id}`, `Run …${noisy.id.slice(-8)}`],
    ["/flows/noisy", "noisy"],
    ["/deployments/dated", "dated"],
    ["/sources", "Sources"],
    ["/sources/stashstock", "stashstock"],
    ["/sources/stashstock/414/metrc_plants", "metrc_plants"],
    ["/loads/stashstock.metrc_plants/414/1", "Load 1 of stashstock.metrc_plants"],
    ["/datasets/deaths", "deaths"],
    ["/sql", "SQL"],
    ["/reference", "API"],
  ] as const;
  await using visit = await desk.visit("/settings");
  const { page } = visit;
  // Who is signed in is told; nothing else is.
  await page.route(/\/(?:api|data)\/(?!session)/, () => {});
  for (const [path, title] of pages) {
    await page.goto(`${desk.url}${path}`);
    await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    expect(await page.title()).toBe(`${title} · leat`);
    await page
      .getByRole("main")
      .getByText(/^Loading /)
      .waitFor();
    expect(await visit.violations(["page-has-heading-one"]), path).toEqual([]);
  }
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("five thousand mapped tasks are one node, and the list of them comes in windows", async () => {
  const fan = await desk.run("fan");
  await desk.until(fan.id, ["succeeded"]);
  await using visit = await desk.visit(`/runs/${fan.id}`);
  const { page } = visit;
  const node = page.locator('[data-node="one"]');
  await node.waitFor();
  expect(await node.textContent()).toContain((fanTasks - 5).toLocaleString("en"));
  expect(await page.locator("[data-node]").count()).toBe(2);
  await page.getByRole("tab", { name: /^Tasks/ }).click();
  await page.getByRole("grid", { name: "Tasks" }).getByRole("row").nth(5).focus();
  await page.keyboard.press("End");
  await page.getByText(`one`, { exact: false }).first().waitFor();
  await expect.poll(() => page.locator('tr[aria-rowindex="5002"] td').first().textContent()).toMatch(/^one /);
  expect(await page.locator("tbody tr").count()).toBeLessThan(80);
  expect(await visit.violations()).toEqual([]);
  expect(visit.said).toEqual([]);
  expect(visit.foreign).toEqual([]);
}, 120_000);

test("days on the home page are those of the zone that its reader has chosen", async () => {
  const zone = "Pacific/Kiritimati"; // At ten in the morning in London its next day begins.
  await using visit = await desk.visit("/");
  const { page } = visit;
  await page.evaluate(`localStorage.setItem("leat.preferences", '{"zone":"${zone}"}')`);
  const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: zone });
  const before = format.format(Date.now());
  const asked = page.waitForRequest(
    (request) => new URL(request.url()).searchParams.get("time_zone") === zone, // The page before has asked for its own.
  );
  await page.reload();
  await asked;
  const days = page.getByRole("table", { name: "Runs by day" }).getByRole("rowheader");
  await days.last().waitFor({ state: "attached" });
  const names = await days.allTextContents();
  expect([names.length, new Set(names).size]).toEqual([14, 14]);
  expect([before, format.format(Date.now())]).toContain(names.at(-1)); // Midnight may have come meanwhile.
});
