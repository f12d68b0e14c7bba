/** `npm run check`: everything that CI checks but the slow installation of the package (`npm run test:package`). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packPackage } from "./pack.ts";
import { printCounts, runStaticChecks, runStep, runTests } from "./steps.ts";

let failed = await runStaticChecks();
const counts = await runTests([]);
failed += counts.failed;
const docs = await runStep("reference pages are as generated", process.execPath, [
  "scripts/generate-docs.ts",
  "--check",
]);
if (!docs) failed += 1;

const folder = await mkdtemp(join(tmpdir(), "leat-pack-"));
try {
  const tarball = await packPackage(folder);
  if (tarball === undefined) failed += 1;
  else {
    // ESM only, on purpose: every Node that leat supports can `require` ESM.
    const attw = await runStep("types of the package resolve", "attw", [tarball, "--profile", "esm-only"]);
    const publint = await runStep("package is well formed", "publint", ["run", tarball, "--strict"]);
    failed += Number(!attw) + Number(!publint);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(printCounts({ ...counts, failed }));
process.exitCode = failed === 0 ? 0 : 1;
