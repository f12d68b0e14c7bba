/** `npm run build`: `src` as JavaScript and declarations in `dist`. Equal sources give equal bytes. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { root, runStep } from "./steps.ts";

await rm(join(root, "dist"), { recursive: true, force: true }); // What was renamed must not be published again.
const isBuilt = await runStep("build", "tsc", ["-p", "tsconfig.build.json"]);
process.exitCode = isBuilt ? 0 : 1;
