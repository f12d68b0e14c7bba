/** Somebody in a hurry, with code of their own: nothing ends in silence, and nothing ends with 0 that was not done. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, makeFolder, type TestFolder } from "../cli/leat-process.ts";

let folder: TestFolder;
beforeAll(() => {
  folder = makeFolder();
  folder.write(".env", "KEY=hunter2-hunter2\n");
});
afterAll(() => folder.remove());

/** One stream whose pages are this code. */
const project = (pages: string): string => `
import { defineProject, defineSource } from "leat";
export default defineProject({
  name: "mine",
  sources: [defineSource({ name: "shop", streams: { orders: { pages: async function* ({ secrets }) { ${pages} } } } })],
});
`;

const run = async (config: string, ...args: string[]): Promise<Ended> => {
  folder.write("leat.config.ts", config);
  return folder.leat(...args);
};

describe("a configuration", () => {
  test.each([
    ["throws", 'throw new Error("boom");', 2, /CONFIG_INVALID: .*leat\.config\.ts cannot be imported: boom/],
    ["throws no error at all", "throw undefined;", 2, /CONFIG_INVALID: .*cannot be imported: undefined/],
    [
      "imports a file that is not there",
      'import "./gone.ts";',
      2,
      /CONFIG_INVALID: .*Cannot find module.*gone\.ts/,
    ],
    [
      "imports a package that is not there",
      'import "left-out";',
      2,
      /CONFIG_INVALID: .*Cannot find package 'left-out'/,
    ],
    [
      "imports what leat has not",
      'import { defineThing } from "leat";',
      2,
      /does not provide an export named/,
    ],
    [
      "exports nothing",
      "",
      2,
      /does not export a project.\n {2}hint: End it with: export default defineProject/,
    ],
    ["exports a function", "export default () => 1;", 2, /does not export a project/],
    [
      "ends the process",
      "process.exit(0);",
      1,
      /error INTERNAL: leat was ended from within.*\n {2}hint: .*process\.exit/,
    ],
    ["waits for ever", "await new Promise(() => {});", 1, /error INTERNAL: leat was ended from within/],
  ])("that %s is told, and is no success", async (_what, config, code, said) => {
    const ended = await run(config, "check");
    expect(ended).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(said) });
  });

  test("that never comes to an end is ended by one Ctrl-C", async () => {
    folder.write("leat.config.ts", 'console.error("begun"); while (true);');
    const { child, ended, saw } = folder.start(["check"]);
    await saw("begun");
    child.kill("SIGINT");
    await ended;
    expect(child.signalCode).toBe("SIGINT");
  });
});

describe("a stream's own code", () => {
  test("that waits for what never comes does not end as if all were done", async () => {
    const ended = await run(project("await new Promise(() => {});"), "sync");
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("a promise that never settles") });
  });

  test("that leaves a failure to nobody is told without its secret; what it yields is landed", async () => {
    const stray = 'Promise.reject(new Error("stray " + (await secrets.resolve("env:KEY"))));';
    const ended = await run(
      project(`${stray} await new Promise((r) => setTimeout(r, 50)); yield [{ id: 1 }];`),
      "sync",
    );
    expect(ended).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("1 records landed, 1 rows loaded"),
    });
    expect(ended.stderr).toContain("error INTERNAL: Error: stray [secret env:KEY]");
    expect(ended.stderr).not.toContain("hunter2");
  });

  test("that throws where nobody can catch it ends the run, without its secret", async () => {
    const stray =
      'const key = await secrets.resolve("env:KEY"); setTimeout(() => { throw new Error("late " + key); }, 1);';
    const ended = await run(project(`${stray} await new Promise((r) => setTimeout(r, 5000));`), "sync");
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("late [secret env:KEY]") });
    expect(ended.stderr).not.toContain("hunter2");
  });
});

describe("a command line", () => {
  test("where --tenant swallows the stream says so", async () => {
    expect(await run(project("yield [];"), "sync", "-t", "default", "shop.orders")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /TENANT_UNKNOWN: .*\n {2}hint: "shop\.orders" is a stream: name streams before --tenant/,
      ),
    });
  });

  test.each([
    ["of two statements", "select 1; select 2", "There are 2 statements; a query is one."],
    ["of none", " ; ", "There is no statement."],
    ["that writes", "create table mine (id int)", 'Cannot execute statement of type "CREATE"'],
    ["of what is not there", "select * from nothing", "Table with name nothing does not exist!"],
  ])("with a query %s is refused with the engine's words, once", async (_what, sql, said) => {
    expect(await run(project("yield [{ id: 1 }];"), "sync", "-q")).toMatchObject({ code: 0 });
    const ended = await folder.leat("query", sql);
    expect(ended).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(said) });
    expect(ended.stderr.split(said)).toHaveLength(2);
    expect(ended.stderr).toMatch(/^error QUERY_FAILED: .*\n {2}hint: /);
  });

  test("whose reader has gone, on stdout and stderr, ends without a stack", async () => {
    await run(project("yield [{ id: 1 }];"), "sync", "-q");
    const { child, ended } = folder.start(["query", "select * from range(100000)", "--rows-max", "100000"]);
    child.stdout?.destroy();
    child.stderr?.destroy();
    expect((await ended).code).toBe(0);
  });
});
