/** The process's environment: the only place of leat where `process.env` is read or written. */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { LeatError } from "../errors/leat-error.ts";

/** Variables by name. */
export type Environment = Record<string, string | undefined>;

/** The environment of this process, live. Tests and embedders pass a plain object instead. */
export const processEnvironment = (): Environment => process.env;

/**
 * Reads a `.env` file into an environment. What is already set wins, so that a deployment overrides the file.
 *
 * `util.parseEnv` and not `process.loadEnvFile`: the latter only knows this process's own environment.
 *
 * @returns whether the file exists.
 * @throws LeatError `CONFIG_INVALID` when it cannot be read.
 */
export function readDotenv(path: string, environment: Environment): boolean {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return false;
    throw new LeatError("CONFIG_INVALID", {
      message: `The file ${path} cannot be read.`,
      hint: "Check its permissions, or remove it.",
      cause: error,
    });
  }
  for (const [name, value] of Object.entries(parseEnv(text.replace(/^\uFEFF/, "")))) {
    environment[name] ??= value;
  }
  return true;
}

/** Whether a file-system error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
