/** The way of somebody who begins: an empty folder, init, sync, query. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, type TestFolder } from "./leat-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe.each([
  ["npm init -y wrote", '{ "name": "mine", "type": "commonjs" }\n', "leat.config.mts"],
  ["has no type", '{ "name": "mine" }\n', "leat.config.mts"],
  ["says module", '{ "name": "mine", "type": "module" }\n', "leat.config.ts"],
  ["is not there", undefined, "leat.config.ts"],
])("where package.json %s", (_what, packageText, configName) => {
  let folder: TestFolder;
  beforeAll(() => {
    folder = makeFolder();
    if (packageText !== undefined) folder.write("package.json", packageText);
    folder.write("README.md", "mine");
  });
  afterAll(() => folder.remove());

  test("init, sync and query work at once, with nothing on stderr and no network", async () => {
    const made = await folder.leat("init", "--json");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const told = JSON.parse(made.stdout);
    expect(told.created).toEqual(
      expect.arrayContaining([configName, ".gitignore", ".env.example", "tenants.json"]),
    );
    expect(told.kept).toEqual(["README.md"]);
    expect(readFileSync(join(folder.path, "README.md"), "utf8")).toBe("mine");
    for (const name of told.created) expect(existsSync(join(folder.path, name))).toBe(true);
    if (packageText !== undefined) {
      expect(readFileSync(join(folder.path, "package.json"), "utf8")).toBe(packageText);
    }

    const synced = await folder.leat("sync", "--quiet");
    expect(synced).toMatchObject({ code: 0, stderr: "" });
    expect(synced.stdout).toContain("5 records landed, 5 rows loaded");

    const rows = await folder.leat("query", "select id, customer from shop.orders order by id", "--json");
    expect(rows).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(rows.stdout)).toEqual([
      { id: 1001, customer: "Ada" },
      { id: 1002, customer: "Björn" },
      { id: 1003, customer: "Chloé" },
      { id: 2001, customer: "Dag" },
      { id: 2002, customer: "Eir" },
    ]);
  });

  // Two of the four, one with .mts and one with .ts: a run of node's tests takes seconds.
  if (packageText === undefined || packageText.includes("commonjs")) {
    test("the project's own tests pass", () => {
      mkdirSync(join(folder.path, "node_modules"));
      symlinkSync(root, join(folder.path, "node_modules", "leat"));
      const { NODE_OPTIONS: _options, ...env } = process.env;
      const told = execFileSync(process.execPath, ["--test", "--test-reporter=tap"], {
        cwd: folder.path,
        env: { ...env, NODE_TEST_CONTEXT: undefined },
        encoding: "utf8",
        stdio: "pipe",
      });
      expect(told).toMatch(/^# pass 2$/m);
      expect(told).toMatch(/^# fail 0$/m);
    });
  }
});

describe("init", () => {
  let folder: TestFolder;
  beforeAll(() => {
    folder = makeFolder();
  });
  afterAll(() => folder.remove());

  test("makes the folder that it is told, and says what to type next", async () => {
    const made = await folder.leat("init", "my shop/data");
    expect(made.code).toBe(0);
    expect(made.stdout).toContain('cd "my shop/data"');
    expect(made.stdout).toContain("npx leat sync");
    expect(readFileSync(join(folder.path, "my shop/data/leat.config.ts"), "utf8")).toContain('name: "data"');
  });

  test("a second time changes nothing and lists what was there", async () => {
    const again = await folder.leat("init", "my shop/data", "--json");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout).created).toEqual([]);
    expect(JSON.parse(again.stdout).kept).toContain("leat.config.ts");
  });

  test("does not put a second configuration beside one of another name", async () => {
    folder.write("old/leat.config.js", "export default 1;");
    await folder.leat("init", "old");
    expect(readdirSync(join(folder.path, "old")).filter((name) => name.startsWith("leat.config"))).toEqual([
      "leat.config.js",
    ]);
  });
});

describe("a Node that is too old", () => {
  const start = join(root, "bin", "leat.js");

  test("gets one line that says what is needed, and exit code 1", () => {
    const pretend = `Object.defineProperty(process, "versions", { value: { node: "20.20.2" } });`;
    const run = () =>
      execFileSync(process.execPath, ["-e", `${pretend} require(${JSON.stringify(start)})`], {
        stdio: "pipe",
      });
    expect(run).toThrow(
      expect.objectContaining({
        status: 1,
        stderr: Buffer.from(
          "leat needs Node 22.19 or newer; this is Node 20.20.2. Install a newer one: https://nodejs.org\n",
        ),
      }),
    );
  });

  test("can read the file that says so: no syntax of this century's later half", () => {
    const code = readFileSync(start, "utf8").replaceAll(/^\s*\/\/.*$|^#!.*$/gm, "");
    expect(code).not.toMatch(/=>|`|\bconst\b|\blet\b|\bimport\b|\basync\b|\?\.|\?\?|\.\.\./);
  });
});
