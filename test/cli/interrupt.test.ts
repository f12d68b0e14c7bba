/** Ctrl-C and SIGTERM: once is a stop at the next safe point, twice is at once, and either way nothing is lost. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeFolder, orderProject, type TestFolder } from "./leat-process.ts";

/** Ten days; each has a record, and each waits until the test says so or the run is to stop. */
const slowPages = `
  const day = start!.slice(0, 10);
  if (day >= "2026-01-04" && !existsSync(new URL("go", import.meta.url))) {
    call("waiting");
    await new Promise((resolve) => {
      const timer = setInterval(() => {}, 1000);
      const done = () => { clearInterval(timer); resolve(undefined); };
      HEEDS
    });
  }
  yield JSON.stringify({ id: day, updated_at: day + "T10:00:00Z" });`;

let folder: TestFolder;
beforeEach(() => {
  folder = makeFolder();
  folder.write("tenants.json", '[{"id":"414"}]');
});
afterEach(() => folder.remove());

const calls = (): string[] => {
  try {
    return readFileSync(join(folder.path, "calls.log"), "utf8").trim().split("\n");
  } catch {
    return [];
  }
};

/** Waits until the stream's code waits. */
async function untilWaiting(): Promise<void> {
  for (let tries = 0; !calls().includes("waiting"); tries++) {
    if (tries > 600) throw new Error("the stream was never asked for 4 January");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const count = async (): Promise<unknown> => {
  const { stdout } = await folder.leat("query", "select count(*)::int as n from orders", "--json");
  return JSON.parse(stdout);
};

describe("an interrupted sync", () => {
  test.each([
    "SIGINT",
    "SIGTERM",
  ] as const)("%s ends it at a safe point with 130; the next one goes on", async (name) => {
    const pages = slowPages.replace("HEEDS", 'signal.addEventListener("abort", done, { once: true });');
    folder.write(
      "leat.config.ts",
      orderProject({ pages, more: "" }).replace('"2026-01-01", start', '"2026-01-01", lag: 0, start'),
    );
    const { child, ended, saw } = folder.start(["sync", "--json"]);
    await untilWaiting();
    child.kill(name);
    await saw("stopping at the next safe point");
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout).results[0]).toMatchObject({ ok: false, error: { code: "INTERRUPTED" } });

    folder.write("go", "");
    const again = await folder.leat("sync", "--json", "-q");
    expect(again.code).toBe(0);
    const days = Math.floor((Date.now() - Date.UTC(2026, 0, 1)) / 86_400_000) + 1;
    expect(await count()).toEqual([{ n: expect.any(Number) }]);
    const [{ n }] = (await count()) as [{ n: number }];
    expect(Math.abs(n - days)).toBeLessThanOrEqual(1); // Midnight may pass while the test runs.
  });

  test("a second signal ends it at once, also where the stream's code does not heed the first", async () => {
    folder.write("leat.config.ts", orderProject({ pages: slowPages.replace("HEEDS", "void done;") }));
    const { child, ended, saw } = folder.start(["sync"]);
    await untilWaiting();
    child.kill("SIGINT");
    await saw("once more to stop at once");
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
  });
});
