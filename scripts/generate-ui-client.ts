/**
 * `npm run build:client`: writes `ui/src/api/types.gen.ts`, the types of the control API for the console, from the API's
 * own description. `test/server-control/ui-client.test.ts` fails where the file is not as the code would have it.
 *
 * A folder as the first argument takes the place of `ui/src/api`.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire, registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { controlDocument } from "./control-document.ts";
import { root } from "./steps.ts";

const path = process.argv[2] ?? join(root, "ui/src/api");

// The generator needs the compiler's JavaScript interface, which TypeScript 7 has not: it is given the 5.x that another
// tool among the development dependencies brings.
const require = createRequire(import.meta.url);
const tool = createRequire(require.resolve("@arethetypeswrong/cli/package.json"));
const url = pathToFileURL(createRequire(tool.resolve("@arethetypeswrong/core")).resolve("typescript")).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "typescript" ? { url, format: "commonjs", shortCircuit: true } : next(specifier, context),
});

const folder = await mkdtemp(join(tmpdir(), "leat-client-"));
try {
  const input = join(folder, "openapi.json");
  await writeFile(input, JSON.stringify(await controlDocument()));
  const { createClient } = await import("@hey-api/openapi-ts");
  await createClient({
    input,
    output: { path, module: { extension: ".ts" }, clean: false, entryFile: false },
    plugins: ["@hey-api/typescript"],
    logs: { level: "silent" },
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
