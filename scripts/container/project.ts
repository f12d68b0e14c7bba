/** Projects as their owners have them, for the images that are checked. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packPackage } from "../pack.ts";
import { root } from "../steps.ts";
import { giveUp, run } from "./podman.ts";

/** Packs leat as it would be published. @returns the path of the tarball. */
export async function packLeat(folder: string): Promise<string> {
  return (await packPackage(folder)) ?? giveUp("leat cannot be packed.");
}

/**
 * Makes a new project with leat in it and with the Dockerfile.
 *
 * @param packages - what its owner installs beside leat.
 */
export function makeProject(project: string, tarball: string, packages: readonly string[] = []): void {
  mkdirSync(project, { recursive: true });
  cpSync(tarball, join(project, "leat.tgz"));
  const manifest = { name: "shop", private: true, type: "module", dependencies: { leat: "file:leat.tgz" } };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  const init = run(process.execPath, [join(root, "bin/leat.js"), "init", project]);
  if (init.status !== 0) giveUp(`leat init failed: ${init.stderr}`);
  const install = ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", [...install, ...packages], { cwd: project, stdio: "inherit" });
  cpSync(join(root, "templates/container/Dockerfile"), join(project, "Dockerfile"));
  cpSync(join(root, "templates/container/dockerignore"), join(project, ".dockerignore"));
  writeFileSync(join(project, ".env"), "SECRET_OF_THE_LAPTOP=never-in-an-image\n");
}
