/** Ctrl-C and SIGTERM: once is a stop at the next safe point, twice is at once, and either way nothing is lost. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeFolder, orderProject, type TestFolder } from "./leat-process.ts";

/** Days before today that are read, and today. */
const days = 10;
const dayMs = 86_400_000;
const firstMs = Date.now() - days * dayMs;
const dayAt = (number: number): string => new Date(firstMs + number * dayMs).toISOString().slice(0, 10);

/** Each day has a record, and from the fourth on waits until the test says so or the run is to stop. */
const slowPages = `
  const day = start!.slice(0, 10);
  if (day >= "${dayAt(3)}" && !existsSync(new URL("go", import.meta.url))) {
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
    if (tries > 600) throw new Error("the stream was never asked for the fourth day");
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
      orderProject({ pages, more: "" }).replace('"2026-01-01", start', `"${dayAt(0)}", lag: 0, start`),
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
    const untilToday = Math.floor(Date.now() / dayMs) - Math.floor(firstMs / dayMs) + 1;
    const [{ n }] = (await count()) as [{ n: number }];
    expect([untilToday - 1, untilToday]).toContain(n); // Midnight may have passed since it was read.
  });

  test("a second signal ends it at once, also where the stream's code does not heed the first", async () => {
    const project = orderProject({ pages: slowPages.replace("HEEDS", "void done;") });
    folder.write("leat.config.ts", project.replace('initial: "2026-01-01"', `initial: "${dayAt(0)}"`));
    const { child, ended, saw } = folder.start(["sync"]);
    await untilWaiting();
    child.kill("SIGINT");
    await saw("once more to stop at once");
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
  });
});
