/** Makes the tarball that would be published; `prepack` builds it first. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./steps.ts";

/**
 * Builds and packs the package. What npm and the build say is shown.
 *
 * @param folder - an empty folder that receives the tarball.
 * @returns the path of the tarball; `undefined` when the build or the packing failed.
 */
export async function packPackage(folder: string): Promise<string | undefined> {
  const code = await runCommand("npm", ["pack", "--loglevel=error", "--pack-destination", folder]);
  if (code !== 0) return undefined;
  const name = (await readdir(folder)).find((file) => file.endsWith(".tgz"));
  return name === undefined ? undefined : join(folder, name);
}
