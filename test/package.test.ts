/** The package's own promises that can be checked without building it; `npm run test:package` installs it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { countTests, printCounts, root } from "../scripts/steps.ts";
import { packageTable } from "./rules/import-table.ts";

type Conditions = Readonly<{ types: string; default: string }>;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, string | Conditions>;
  bin: Record<string, string>;
  files: readonly string[];
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const subpaths = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === "string" ? [] : [{ subpath, ...target }],
);

test("every subpath leads to a file that the build makes from a source", () => {
  expect(subpaths.length).toBeGreaterThan(0);
  for (const { subpath, types, default: code } of subpaths) {
    expect(types, subpath).toBe(code.replace(/\.js$/, ".d.ts"));
    const source = code.replace("./dist/", "src/").replace(/\.js$/, ".ts");
    expect(existsSync(join(root, source)), `${subpath} needs ${source}`).toBe(true);
  }
});

test("what the package runs and ships is there", () => {
  for (const file of Object.values(manifest.bin)) expect(existsSync(join(root, file)), file).toBe(true);
  for (const file of manifest.files.filter((name) => name !== "dist"))
    expect(existsSync(join(root, file)), file).toBe(true);
});

test("dependencies are pinned exactly", () => {
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name}@${version}`);
  expect(loose).toEqual([]);
});

test("every dependency has a folder that may import it, and every such package is a dependency", () => {
  const packages = { ...manifest.dependencies, ...manifest.peerDependencies };
  expect([...packageTable.keys()].sort()).toEqual(Object.keys(packages).sort());
});

test("a runner that fails without a failed test counts as a failure", () => {
  const report = (...files: readonly (readonly [string, ...string[]])[]): string =>
    JSON.stringify({
      testResults: files.map(([status, ...tests]) => ({
        status,
        assertionResults: tests.map((one) => ({ status: one })),
      })),
    });
  expect(printCounts(countTests(report(["passed", "passed", "pending"]), 0))).toBe(
    "1 passed, 0 failed, 1 skipped",
  );
  expect(printCounts(countTests(report(["failed", "passed", "failed"]), 1))).toBe("1 passed, 1 failed");
  expect(countTests(report(["passed", "passed"], ["failed"]), 1).failed, "a file that cannot be read").toBe(
    1,
  );
  expect(countTests(report(["passed", "passed"]), 1).failed, "an unhandled rejection").toBe(1);
  expect(countTests(undefined, 0).failed, "no report").toBe(1);
  expect(countTests(report(), 0).failed, "no test at all").toBe(1);
});
