/** Which file is the project's configuration. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import { resolvePlace } from "./location.ts";

/** Names looked for in a folder, in this order. `.mts` and `.mjs` are ES modules whatever package.json says. */
export const configNames = [
  "leat.config.ts",
  "leat.config.mts",
  "leat.config.js",
  "leat.config.mjs",
] as const;

/** What a person named, if anything. */
export type ConfigChoice = Readonly<{
  /** `--config`: a file, or a folder holding one; relative to `cwd`. */
  option: string | undefined;
  /** `LEAT_CONFIG`: likewise. */
  variable: string | undefined;
}>;

/**
 * Finds the configuration: the file named, else the first found in `cwd` or the nearest folder above it.
 *
 * @throws LeatError `CONFIG_MISSING` telling each place looked at.
 */
export function findConfig(cwd: string, choice: ConfigChoice): string {
  const named = choice.option ?? choice.variable;
  if (named !== undefined && named !== "") {
    const path = resolvePlace(cwd, named);
    const found = isFolder(path) ? inFolder(path) : existsSync(path) ? path : undefined;
    if (found !== undefined) return found;
    const by = choice.option !== undefined ? "--config" : "LEAT_CONFIG";
    throw new LeatError("CONFIG_MISSING", {
      message: `${by} names ${path}, and there is no configuration.`,
      hint: `Name a file, or a folder holding one of ${configNames.join(", ")}.`,
    });
  }
  const looked: string[] = [];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = inFolder(folder);
    if (found !== undefined) return found;
    looked.push(folder);
    if (dirname(folder) === folder) break;
  }
  throw new LeatError("CONFIG_MISSING", {
    message: `No leat.config.ts (or .mts, .js, .mjs) in ${looked[0]} or the folders above it.`,
    details: { looked },
  });
}

const inFolder = (folder: string): string | undefined =>
  configNames.map((name) => join(folder, name)).find((path) => existsSync(path));

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
