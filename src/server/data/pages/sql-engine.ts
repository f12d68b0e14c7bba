/** The engine for visitors' own SQL: DuckDB as WebAssembly, an optional package that is looked for where leat is installed. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { diskFile, type StaticFile } from "./assets.ts";

/**
 * The one version that is taken: the last with Parquet built in. Later ones fetch that from their makers' server, which
 * a page that asks nobody else cannot do, and are twice the size.
 */
const version = "1.28.0";

/** What to type when it is missing. */
export const sqlEngineInstall: string = `npm install @duckdb/duckdb-wasm@${version}`;

/** Files of the engine that browsers load, and what they are. */
const engineFiles = {
  "duckdb-browser.mjs": "text/javascript; charset=utf-8",
  "duckdb-browser-eh.worker.js": "text/javascript; charset=utf-8",
  "duckdb-eh.wasm": "application/wasm",
} as const;

export type SqlEngineFiles = Readonly<{ version: string; files: ReadonlyMap<string, StaticFile> }>;

/** Finds the engine; `undefined`: it is not installed. `from`: folders to look from, the project's first. */
export function findSqlEngine(from: readonly (string | URL)[]): SqlEngineFiles | undefined {
  for (const place of from) {
    try {
      const require = createRequire(place);
      // Its entry lies in dist, beside what browsers load; package.json is not among its exports.
      const folder = dirname(require.resolve("@duckdb/duckdb-wasm"));
      const found = JSON.parse(readFileSync(join(folder, "..", "package.json"), "utf8")) as {
        version: string;
      }; // Every package has one.
      if (found.version !== version) continue;
      const files = Object.entries(engineFiles).map(
        ([name, contentType]) => [name, diskFile(contentType, join(folder, name))] as const,
      );
      return { version, files: new Map(files) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error; // `require.resolve` says so.
    }
  }
  return undefined;
}
