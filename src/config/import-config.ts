/** Imports a project's configuration, as TypeScript and as an ES module whatever the package's type is. */
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { Project } from "../ports/project.ts";

/** This copy of leat's entry, for a project that has none installed (`npx leat`). */
const ownEntry = new URL(`../index.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url).href;

/** This copy's own files: `src` or `dist`. */
const ownFolder = new URL("../", import.meta.url).href;

/** A line that only an ES module can have. */
const esmLine = /^\s*(?:import\b(?!\s*\()|export\b)/m;

let areHooksRegistered = false;

/** Hashes of the project's files that were loaded so far, by URL. */
const projectFiles = new Map<string, string>();

/** Characters of a hash that names a version: enough to tell two apart, short enough to be read out. */
const codeHashLength = 12;

/**
 * Teaches this process's module loader two things, once.
 *
 * `npm init` writes `"type": "commonjs"` (or nothing). Under it Node 22 to 26 refuses a `leat.config.ts` with import
 * lines, also files that it imports, or warns on stderr that it parses twice; so files of the project with such lines
 * are loaded as the ES modules they are. And `import "leat"` finds this copy where the project has none of its own.
 */
function registerProjectHooks(): void {
  if (areHooksRegistered) return;
  areHooksRegistered = true;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== "leat") return next(specifier, context);
      try {
        return next(specifier, context);
      } catch {
        return { url: ownEntry, shortCircuit: true };
      }
    },
    load(url, context, next) {
      const ending = /\.(ts|js)(?:\?.*)?$/.exec(url)?.[1];
      if (ending === undefined || !url.startsWith("file:") || url.includes("/node_modules/")) {
        return next(url, context);
      }
      const isOwn = url.startsWith(ownFolder);
      const isModule = context.format === "module" || context.format === "module-typescript";
      if (isOwn && isModule) return next(url, context);
      const text = readFileSync(fileURLToPath(url), "utf8");
      if (!isOwn) projectFiles.set(url, hash("sha256", text));
      if (isModule || !esmLine.test(text)) return next(url, context);
      return next(url, { ...context, format: ending === "ts" ? "module-typescript" : "module" });
    },
  });
}

/** What a configuration comes to. `codeHash`: of the files of the project that were read for it. */
export type ImportedConfig = Readonly<{ project: Project; codeHash: string }>;

/**
 * Imports the configuration's default export.
 *
 * @throws LeatError `CONFIG_INVALID` when the file cannot be imported or does not export a project.
 */
export async function importConfig(path: string): Promise<ImportedConfig> {
  registerProjectHooks();
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    if (isLeatError(error)) throw error.at({ file: path }); // `defineProject` or `rest` has listed the faults.
    throw new LeatError("CONFIG_INVALID", {
      message: `${path} cannot be imported: ${error instanceof Error ? error.message : String(error)}`,
      hint: "Run `node` on the file to see where; types must be erasable (no enum, no namespace).",
      cause: error,
    });
  }
  if (!isProject(exported)) {
    throw new LeatError("CONFIG_INVALID", {
      message: `${path} does not export a project.`,
      hint: "End it with: export default defineProject({ name, sources: [...] });",
    });
  }
  const hashes = [...projectFiles].map(([, one]) => one).sort();
  return { project: exported, codeHash: hash("sha256", hashes.join()).slice(0, codeHashLength) };
}

/** By shape, not by identity: the project may come from another copy of leat. */
function isProject(value: unknown): value is Project {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value)) return false;
  const project = value as Partial<Project>; // Nothing is known of it yet; each field is looked at.
  return (
    typeof project.name === "string" &&
    Array.isArray(project.sources) &&
    typeof project.tenantColumn === "string" &&
    typeof project.landing === "string" &&
    typeof project.warehouse === "string"
  );
}
