/** A run of `leat run` whose process is killed: nobody else takes it over, so that commands have to notice. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestFolder } from "../cli/leat-process.ts";
import { makeFlowProject } from "./flow-project.ts";

const config = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineProject, flow, task } from "leat";
const once = task("once", {}, async () => {
  appendFileSync(new URL("calls.log", import.meta.url), "once\\n");
  return "kept";
});
const hold = task("hold", {}, async (ctx) => {
  ctx.log.info("holds");
  while (!existsSync(new URL("go", import.meta.url))) await wait(20, undefined, { signal: ctx.signal });
});
const alone = flow("alone", { concurrency: { limit: 1 } }, async (ctx) => {
  const kept = await once(ctx);
  await hold(ctx);
  return kept;
});
export default defineProject({ name: "alone", flows: [alone] });
`;

let folder: TestFolder;
beforeAll(() => {
  folder = makeFlowProject(config);
});
afterAll(() => folder.remove());

const idOf = (output: string): string => /run ([0-9a-f]{16}) of/.exec(output)?.[1] ?? "";

describe("a run whose process is killed", { timeout: 60_000 }, () => {
  test("is told as failed, gives its key back to the next, and goes on where it was", async () => {
    const running = folder.start(["run", "alone"]);
    await running.saw("holds");
    running.child.kill("SIGKILL");
    await running.ended;
    folder.write("go", "");
    const next = await folder.leat("run", "alone");
    expect(next.code, next.stderr).toBe(0);
    const id = idOf(running.output());
    const shown = await folder.leat("show", id);
    expect(shown.stdout).toContain("state       failed");
    expect(shown.stdout).toContain("RUN_LOST");
    const { code, stdout, stderr } = await folder.leat("retry", id);
    expect([code, stdout], stderr).toEqual([0, "kept\n"]);
    const calls = readFileSync(join(folder.path, "calls.log"), "utf8");
    expect(calls).toBe("once\n".repeat(2)); // The killed run's, and the next one's own.
  });
});
