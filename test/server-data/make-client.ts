/**
 * `node make-client.ts openapi.json folder`: a typed client of an OpenAPI document. A process of its own, because the
 * generator needs the compiler's JavaScript interface, which TypeScript 7 has not: it is given the 5.x that another tool
 * among the development dependencies brings.
 */
import { createRequire, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

const [input = "", path = ""] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const tool = createRequire(require.resolve("@arethetypeswrong/cli/package.json"));
const url = pathToFileURL(createRequire(tool.resolve("@arethetypeswrong/core")).resolve("typescript")).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "typescript" ? { url, format: "commonjs", shortCircuit: true } : next(specifier, context),
});
const { createClient } = await import("@hey-api/openapi-ts");
await createClient({
  input,
  output: { path, module: { extension: ".ts" } },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
  logs: { level: "silent" },
});
