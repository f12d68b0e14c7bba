/** The architecture, enforced: who imports whom, who re-exports, who touches the process, how files are named. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../scripts/steps.ts";
import {
  checkCycles,
  checkImports,
  checkProcessUses,
  checkReached,
  checkReexports,
} from "./rules/check-modules.ts";
import { entryFiles } from "./rules/import-table.ts";
import { readModule } from "./rules/source-module.ts";

/** A file beyond this many lines holds a second noun. */
const linesMax = 400;

/** Files below a folder of the repository, `/`-separated; what tools and cases bring is left out. */
function listFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .split(sep)
        .join("/"),
    )
    .filter((path) => !/(^|\/)(node_modules|dist|golden|fixtures|data|\.leat)\//.test(path));
}

const readText = (path: string): string => readFileSync(join(root, path), "utf8");
const ownFolders = ["src", "ui", "test", "scripts", "bench", "examples", "docs", "bin"].flatMap(listFiles);
const typescriptFiles = ownFolders.filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".gen.ts"));
const sources = listFiles("src").filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
const modules = sources.map((path) => readModule(path.slice("src/".length), readText(path)));

describe("src keeps its rules", () => {
  test("every import goes where the table lets it", () => {
    expect(checkImports(modules)).toEqual([]);
  });

  test("no chain of imports leads back to its beginning", () => {
    expect(checkCycles(modules)).toEqual([]);
  });

  test("only the package's entries re-export, by name", () => {
    expect(checkReexports(modules)).toEqual([]);
  });

  test("environment, exit and output are touched only in their folders", () => {
    expect(checkProcessUses(modules)).toEqual([]);
  });

  test("every file is reached from an entry of the package or the command line", () => {
    // Threads and processes are started by the path of their entry, and imported by nobody.
    const children = [
      "cli/flow-process-main.ts",
      "cli/share-process-main.ts",
      "readers/child/child-main.ts",
      "serve/render-worker.ts",
      "serve/scan-worker.ts",
      "warehouses/duckdb/query-child.ts",
    ];
    const entries = [...entryFiles, "cli/main.ts", ...children];
    expect(checkReached(modules, entries)).toEqual([]);
  });
});

describe("ui keeps its rules", () => {
  const consoleFiles = typescriptFiles.filter((path) => path.startsWith("ui/src/"));
  const importOf = /(?:from|import)\s*\(?\s*"([^"]+)"/g;
  const importsOf = (path: string) =>
    [...readText(path).matchAll(importOf)].map(([, name]) => ({ path, name: name! }));

  test("it knows the server by the types of its API alone: nothing of src, nothing of Node", () => {
    const wrong = consoleFiles
      .filter((path) => !path.endsWith(".test.ts"))
      .flatMap(importsOf)
      .filter(({ path, name }) =>
        name.startsWith(".")
          ? !posix.join(posix.dirname(path), name).startsWith("ui/src/")
          : name.startsWith("node:"),
      )
      .map(({ path, name }) => `${path} imports "${name}": ask the API instead`);
    expect(consoleFiles.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  test("the types that it knows the server by are imported as types", () => {
    const run = consoleFiles.filter((path) =>
      /import \{[^}]*\} from "[^"]*types\.gen\.ts"/.test(readText(path)),
    );
    expect(run).toEqual([]);
  });
});

describe("files keep their form", () => {
  test("names are kebab-case", () => {
    const loud = /^(README|CHANGELOG|CONTRIBUTING|LICENSE)(\.md)?$/;
    const odd = ownFolders.flatMap((path) =>
      path
        .split("/")
        .filter((name) => !loud.test(name) && !name.endsWith(".py")) // Python wants names that it can import.
        .filter((name) => !/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(name))
        .map((name) => `${path}: rename "${name}"`),
    );
    expect(odd).toEqual([]);
  });

  test("names say what is inside", () => {
    const drawer = /^(utils?|helpers?|common|misc|types|interfaces|lib|managers?)(\.|$)/;
    const drawers = typescriptFiles.filter((path) => path.split("/").some((name) => drawer.test(name)));
    expect(drawers).toEqual([]);
  });

  test(`no file is longer than ${linesMax} lines`, () => {
    const long = typescriptFiles
      .map((path) => ({ path, lines: readText(path).split("\n").length - 1 }))
      .filter(({ lines }) => lines > linesMax)
      .map(({ path, lines }) => `${path} has ${lines} lines: look for the second noun`);
    expect(long).toEqual([]);
  });

  test("no test runs alone", () => {
    const alone = typescriptFiles.filter((path) => /\b(it|test|describe)\.only\(/.test(readText(path)));
    expect(alone).toEqual([]);
  });
});

describe("the rules find what they look for", () => {
  const check = (path: string, text: string) => checkImports([readModule(path, text)]).join("\n");

  test("a stage that imports another, also for a type only", () => {
    const text = 'import type { Job } from "../extract/extract-job.ts";';
    expect(check("load/load-stream.ts", text)).toBe(
      'src/load/load-stream.ts imports "../extract/extract-job.ts": "load" may import errors, model, ports, scan, landing. Move what both need to src/landing/.',
    );
  });

  test("an adapter that imports its neighbour, and a type inside a signature", () => {
    const text = 'export const x = (a: import("../fs/fs-store.ts").FsStore) => a;';
    expect(check("stores/gcs/gcs-store.ts", text)).toContain("Move what both need to src/ports/.");
    expect(check("stores/fs/temporary.ts", 'export {} from "./fs-store.ts";')).toBe("");
  });

  test("an engine's client outside its adapter, and a package nobody has placed", () => {
    expect(check("load/x.ts", 'await import("@duckdb/node-api/lib/x");')).toContain("src/warehouses/duckdb/");
    expect(check("load/x.ts", 'import "left-pad";')).toContain("not in the table of packages");
    expect(check("load/x.ts", 'import "fs";')).toContain('write "node:fs"');
  });

  test("a folder without a line in the table", () => {
    expect(check("drawer/x.ts", 'import "../model/ids.ts";')).toContain("give it a line");
  });

  test("the lowest folder importing a higher one is told to move up", () => {
    expect(check("errors/x.ts", 'import "../model/ids.ts";')).toContain("needs both to src/ports/.");
  });

  test("a cycle of type imports", () => {
    const one = readModule("model/a.ts", 'import type { B } from "./b.ts"; export type A = B;');
    const two = readModule("model/b.ts", 'import type { A } from "./a.ts"; export type B = A;');
    expect(checkCycles([one, two])).toEqual(["src/model/a.ts → src/model/b.ts → src/model/a.ts"]);
    expect(checkCycles([one])).toEqual([]);
  });

  test("a re-export in one line, in two lines, and of everything", () => {
    const faults = (text: string) => checkReexports([readModule("model/a.ts", text)]).length;
    expect(faults('export { x } from "./b.ts";')).toBe(1);
    expect(faults('import { x } from "./b.ts"; export { x };')).toBe(1);
    expect(faults('export * from "./b.ts";')).toBe(1);
    expect(faults("const x = 1; export { x };")).toBe(0);
    expect(checkReexports([readModule("index.ts", 'export { x } from "./b.ts";')])).toEqual([]);
  });

  test("the environment, the exit and the output in the wrong folder, but not in a comment", () => {
    const faults = (path: string, text: string) => checkProcessUses([readModule(path, text)]).length;
    expect(faults("load/x.ts", 'const home = process.env["HOME"];')).toBe(1);
    expect(faults("load/x.ts", 'import { env, exit } from "node:process";')).toBe(2);
    expect(faults("server/x.ts", "process.stdout.write(''); console.log(1);")).toBe(2);
    expect(faults("cli/x.ts", "process.stdout.write(''); process.exit(1);")).toBe(0);
    expect(faults("load/x.ts", "// process.env is read by config")).toBe(0);
  });

  test("a file that only tests import", () => {
    const entry = readModule("index.ts", 'export { a } from "./model/a.ts";');
    const used = readModule("model/a.ts", "export const a = 1;");
    const unused = readModule("model/b.ts", "export const b = 1;");
    expect(checkReached([entry, used, unused], ["index.ts"])).toEqual([
      "src/model/b.ts is reached from no entry: use it, delete it, or move it to test/.",
    ]);
  });
});
