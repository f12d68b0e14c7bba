/** This copy's version. */
import { readFileSync } from "node:fs";

/** Reads it; package.json lies two folders above, in the repository as in the published package. */
export function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version; // Our own file.
}
