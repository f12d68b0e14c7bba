/** Every page of Observe and Build, in the dark and on a narrow window: what is there, or what is the matter. */
import { afterAll, beforeAll, expect, test } from "vitest";
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
    const overflow = await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow, path).toBeLessThanOrEqual(0);
  }
  expect(visit.said.filter((line) => !line.includes("404"))).toEqual([]);
  expect(visit.foreign).toEqual([]);
});
