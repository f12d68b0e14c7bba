/** Where the configuration comes from, and that it loads without a word on stderr. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, type TestFolder } from "./leat-process.ts";

const config = (name: string): string => `
import { defineProject, defineSource } from "leat";
import { pages } from "./streams/orders.ts";
const project: string = process.env["PROJECT_NAME"] ?? ${JSON.stringify(name)};
export default defineProject({
  name: project,
  sources: [defineSource({ name: "shop", streams: { orders: { pages } } })],
});
`;

let folder: TestFolder;
beforeAll(() => {
  folder = makeFolder();
});
afterAll(() => folder.remove());

const check = async (args: readonly string[], environment: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await folder.start(["check", "--json", ...args], environment).ended;
  return { code, stderr, value: JSON.parse(stdout) };
};

describe("a leat.config.ts with import lines loads without a warning", () => {
  test.each([
    ["commonjs", '{"type":"commonjs"}'],
    ["module", '{"type":"module"}'],
    ["nothing", "{}"],
  ])("where package.json says %s, and so do the files that it imports", async (type, text) => {
    folder.write(`${type}/package.json`, text);
    folder.write(`${type}/leat.config.ts`, config(type));
    folder.write(
      `${type}/streams/orders.ts`,
      "export const pages = async function* (): AsyncGenerator<object[]> {};\n",
    );
    const { code, stderr, value } = await check(["-c", type]);
    expect({ code, stderr, project: value.project, tenants: value.tenants }).toEqual({
      code: 0,
      stderr: "",
      project: type,
      tenants: 1,
    });
  });

  test("a CommonJS helper in the same project stays CommonJS", async () => {
    folder.write("mixed/package.json", '{"type":"commonjs"}');
    folder.write("mixed/streams/orders.ts", "module.exports = { pages: async function* () {} };\n");
    folder.write(
      "mixed/leat.config.ts",
      config("mixed")
        .replace('{ pages } from "./streams/orders.ts"', 'orders from "./streams/orders.ts"')
        .replace("{ pages }", "orders"),
    );
    expect(await check(["-c", "mixed"])).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("the configuration is found", () => {
  test("in a folder above, by --config, and by LEAT_CONFIG, in this order of strength", async () => {
    mkdirSync(join(folder.path, "module/deep/er"), { recursive: true });
    const { child, ended } = folder.start(["check", "--json"], { LEAT_CONFIG: "commonjs" });
    expect(child.pid).toBeGreaterThan(0);
    expect(JSON.parse((await ended).stdout).project).toBe("commonjs");
    expect((await check(["-c", "module"], { LEAT_CONFIG: "commonjs" })).value.project).toBe("module");
    expect((await check(["-c", "module/leat.config.ts"])).value.project).toBe("module");
  });

  test("or not, and then every place is told", async () => {
    const { code, value } = await check([]);
    expect({ code, error: value.error }).toMatchObject({
      code: 2,
      error: { code: "CONFIG_MISSING", hint: expect.stringContaining("leat init") },
    });
    expect(value.error.details.looked[0]).toBe(folder.path);
  });
});

describe("the environment", () => {
  test("overrides where things live; relative paths begin at the project", async () => {
    const { value } = await check(["-c", "module"], {
      LEAT_LANDING: "file:elsewhere",
      LEAT_WAREHOUSE: `duckdb:${folder.path}/w.duckdb`,
    });
    expect(value.landing).toBe(`file:${folder.path}/module/elsewhere`);
    expect(value.warehouse).toBe(`duckdb:${folder.path}/w.duckdb`);
  });

  test("is read from .env as well, and what is set already wins", async () => {
    folder.write("module/.env", 'PROJECT_NAME="from .env" # a comment\nLEAT_TENANTS=./who.json\n');
    folder.write("module/who.json", '[{"id":"1"},{"id":"2"},{"id":"3"}]');
    expect((await check(["-c", "module"])).value).toMatchObject({ project: "from .env", tenants: 3 });
    expect((await check(["-c", "module"], { PROJECT_NAME: "set" })).value.project).toBe("set");
  });
});
