import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestFolder } from "../cli/leat-process.ts";
import { makeFlowProject } from "./flow-project.ts";

let folder: TestFolder;
beforeAll(() => {
  folder = makeFlowProject();
});
afterAll(() => folder.remove());

const calls = (): readonly string[] => {
  const path = join(folder.path, "calls.log");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
};

describe("leat run", () => {
  test("tells each task as it ends, and prints the result", async () => {
    const { code, stdout, stderr } = await folder.leat("run", "greet", "-p", "names=ann", "-p", "names=bob");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual(["hello ann", "hello bob"]);
    expect(stderr).toMatch(/^run [0-9a-f]{16} of greet$/m);
    expect(stderr.match(/^hello: done in/gm)).toHaveLength(2);
    expect(stderr).toMatch(/^run [0-9a-f]{16} succeeded in/m);
  });

  test("prints one document with --json, and nothing but warnings with --quiet", async () => {
    const { code, stdout, stderr } = await folder.leat("run", "greet-all", "--json", "--quiet");
    expect(code).toBe(0);
    expect(stderr.trim()).toMatch(/^$/);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      run: { flow: "greet", deployment: "greet-all", state: "succeeded", attempt: 1 },
      result: ["hello ann", "hello bob"],
    });
  });

  test("lists all faults of parameters with near names, and calls nothing", async () => {
    const before = calls().length;
    const args = ["run", "greet", "-p", "oops", "-p", "nams=ann", "--params", '{"times": "many"}', "--json"];
    const { code, stdout } = await folder.leat(...args);
    expect(code).toBe(2);
    const { error } = JSON.parse(stdout) as { error: { code: string; details: { faults: unknown[] } } };
    expect(error.code).toBe("PARAMS_INVALID");
    expect(error.details.faults).toEqual([
      { path: "oops", problem: "is no parameter; write it as name=value" },
      { path: "nams", problem: 'unknown parameter; did you mean "names"? known: names, times' },
      { path: "times", problem: expect.stringContaining("number") },
    ]);
    expect(calls()).toHaveLength(before);
  });

  test("refuses a flow that is not there with the near name", async () => {
    const { code, stderr } = await folder.leat("run", "gret");
    expect(code).toBe(2);
    expect(stderr).toContain("error FLOW_UNKNOWN");
    expect(stderr).toContain('Did you mean "greet"?');
  });

  test("refuses parameters that are no JSON object", async () => {
    for (const text of ["{", "[1]"]) {
      const { code, stderr } = await folder.leat("run", "greet", "--params", text);
      expect(code).toBe(2);
      expect(stderr).toContain("error USAGE: --params is not");
    }
  });

  test("is cancelled by Ctrl-C, in the ledger too", async () => {
    const running = folder.start(["run", "slow"]);
    await running.saw("begins to wait");
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    const { stdout } = await folder.leat("runs", "--flow", "slow", "--json");
    expect((JSON.parse(stdout) as { runs: unknown[] }).runs).toMatchObject([{ state: "cancelled" }]);
  });

  test("imports neither the server nor an engine before a task needs them", async () => {
    const list = join(folder.path, "modules.txt");
    const hook = join(folder.path, "list-modules.mjs");
    writeFileSync(
      hook,
      `import { appendFileSync } from "node:fs";
       import { registerHooks } from "node:module";
       registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + "\\n"); return next(url, context); } });`,
    );
    const options = { NODE_OPTIONS: `--import=${pathToFileURL(hook).href}` };
    const { code } = await folder.start(["run", "noop"], options).ended;
    expect(code).toBe(0);
    const modules = readFileSync(list, "utf8").split("\n");
    expect(modules.some((url) => url.includes("/flow/run-foreground"))).toBe(true);
    const heavy = /fastify|duckdb|\/server\/|\/warehouses\/|pg-boss|node_modules\/pg\/|nodemailer|\/xlsx/;
    expect(modules.filter((url) => heavy.test(url))).toEqual([]);
  });
});

describe("leat retry", () => {
  test("goes on from what is finished, in the foreground where the run was", async () => {
    const failed = await folder.leat("run", "door");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("error FLOW_FAILED");
    expect(failed.stderr).toContain("the door is shut");
    const id = /^run ([0-9a-f]{16}) of door$/m.exec(failed.stderr)?.[1] ?? "";
    folder.write("opened", "");
    const before = calls().filter((call) => call === "hello door").length;
    const { code, stdout, stderr } = await folder.leat("retry", id);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe("through\n");
    expect(stderr).toContain("hello: already done");
    expect(calls().filter((call) => call === "hello door")).toHaveLength(before);
    const again = await folder.leat("retry", id, "--from", "hello");
    expect(again.code, again.stderr).toBe(0);
    expect(calls().filter((call) => call === "hello door")).toHaveLength(before + 1);
  });
});
