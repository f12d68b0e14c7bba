/**
 * `npm run build`: `src` as JavaScript and declarations in `dist`, and the console in `dist/ui`. Equal sources give equal
 * bytes.
 */
import { cp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { root, runStep } from "./steps.ts";

await rm(join(root, "dist"), { recursive: true, force: true }); // What was renamed must not be published again.
const isBuilt =
  (await runStep("build", "tsc", ["-p", "tsconfig.build.json"])) &&
  (await runStep("build of the console", "vite", ["build", "ui", "--logLevel", "warn"]));
if (isBuilt) {
  const isSent = (path: string): boolean => basename(path) !== ".vite"; // What budgets are checked by.
  await cp(join(root, "ui/dist"), join(root, "dist/ui"), { recursive: true, filter: isSent });
}
process.exitCode = isBuilt ? 0 : 1;
