/** Makes the tarball that would be published; `prepack` builds it first. */
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./steps.ts";

const run = promisify(execFile);

/**
 * Builds and packs the package.
 *
 * @param folder - an empty folder that receives the tarball.
 * @returns the path of the tarball.
 */
export async function packPackage(folder: string): Promise<string> {
  await run("npm", ["pack", "--loglevel=error", "--pack-destination", folder], {
    cwd: root,
    shell: process.platform === "win32",
  });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`);
  return join(folder, tarball);
}
