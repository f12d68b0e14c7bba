/** The rules of `src` as pure functions: modules in, sentences about what is wrong out. */
import { isBuiltin } from "node:module";
import { entryFiles, importTable, packageTable, processTable } from "./import-table.ts";
import { folderOf, resolveImport, type SourceModule } from "./source-module.ts";

const tableKey = (folder: string): string => folder.replace(/\/.*/, "/*");
const allowedFor = (folder: string): readonly string[] | undefined =>
  importTable.get(folder) ?? importTable.get(tableKey(folder));

/** Imports that cross folders where the table does not let them, and packages outside their folders. */
export function checkImports(modules: readonly SourceModule[]): readonly string[] {
  return modules.flatMap((module) =>
    module.imports.flatMap((specifier) => {
      const fault = checkImport(module.path, specifier);
      return fault === undefined ? [] : [`src/${module.path} imports "${specifier}": ${fault}`];
    }),
  );
}

function checkImport(path: string, specifier: string): string | undefined {
  const folder = folderOf(path);
  const target = resolveImport(path, specifier);
  if (target === undefined) return checkPackage(folder, specifier);
  if (target.endsWith(".test.ts")) return "what tests share must not stand in a test; move it to test/.";
  const targetFolder = folderOf(target);
  if (targetFolder === folder) return undefined;
  const allowed = allowedFor(folder);
  if (allowed === undefined) return `"${folder}" is not in the import table; give it a line there.`;
  if (allowed.includes(targetFolder) || allowed.includes(tableKey(targetFolder))) return undefined;
  return `"${folder}" may import ${allowed.join(", ") || "nothing"}. ${adviseMove(folder, targetFolder)}`;
}

/** The highest folder that both sides may import is where a shared thing belongs. */
function adviseMove(folder: string, target: string): string {
  const both = allowedFor(folder)!.filter((name) => allowedFor(target)?.includes(name));
  const home = [...importTable.keys()].findLast((name) => both.includes(name));
  if (home !== undefined) return `Move what both need to src/${home}/.`;
  const above = [...importTable].filter(
    ([, allowed]) => allowed.includes(folder) && allowed.includes(target),
  );
  return `Move the code that needs both to src/${above[0]?.[0] ?? "cli"}/.`;
}

function checkPackage(folder: string, specifier: string): string | undefined {
  if (isBuiltin(specifier)) return specifier.startsWith("node:") ? undefined : `write "node:${specifier}".`;
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const homes = packageTable.get(name);
  if (homes === undefined) return `the package is not in the table of packages; give it a folder there.`;
  if (homes.includes(folder) || homes.includes(tableKey(folder))) return undefined;
  return `only ${homes.join(", ")} may import it. Move the code that needs it to src/${homes[0]}/.`;
}

/** Re-exports outside the entries of the package, and `export *` anywhere. */
export function checkReexports(modules: readonly SourceModule[]): readonly string[] {
  return modules.flatMap(({ path, reexports }) =>
    reexports.flatMap((name) => {
      if (name === "*") return [`src/${path}: \`export *\` hides what is exported; name each export.`];
      if (entryFiles.includes(path)) return [];
      return [`src/${path} re-exports "${name}": import it where it is defined, or name it in src/index.ts.`];
    }),
  );
}

/** Uses of the process outside the folders that own it. */
export function checkProcessUses(modules: readonly SourceModule[]): readonly string[] {
  return modules.flatMap(({ path, processUses }) =>
    processUses.flatMap((use) => {
      const homes = processTable.get(use);
      if (homes === undefined || homes.includes(folderOf(path))) return [];
      return [`src/${path} uses ${use}: only ${homes.join(", ")} may; hand the value in from there.`];
    }),
  );
}

/** Cycles of imports, type imports included, each told once as the chain that leads back. */
export function checkCycles(modules: readonly SourceModule[]): readonly string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const faults: string[] = [];
  const visit = (path: string, chain: readonly string[]): void => {
    const at = chain.indexOf(path);
    if (at >= 0) faults.push([...chain.slice(at), path].map((name) => `src/${name}`).join(" → "));
    if (at >= 0 || done.has(path)) return;
    for (const specifier of byPath.get(path)?.imports ?? []) {
      const target = resolveImport(path, specifier);
      if (target !== undefined) visit(target, [...chain, path]);
    }
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return faults;
}

/** Modules that no entry reaches: dead, or alive in tests only. */
export function checkReached(
  modules: readonly SourceModule[],
  entries: readonly string[],
): readonly string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const reached = new Set<string>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const specifier of byPath.get(path)?.imports ?? []) {
      const target = resolveImport(path, specifier);
      if (target !== undefined) queue.push(target);
    }
  }
  return modules
    .filter(({ path }) => !reached.has(path))
    .map(({ path }) => `src/${path} is reached from no entry: use it, delete it, or move it to test/.`);
}
