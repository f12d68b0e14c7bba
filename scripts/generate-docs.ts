/**
 * `npm run docs`: writes the pages under `docs/reference/` from the code that they describe. `--check` writes nothing
 * and fails when a page is not as the code would have it; `test/docs.test.ts` does the same.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildDocumentedProgram, renderCliPage } from "./docs/cli-page.ts";
import { writeErrorsPage } from "./docs/errors-page.ts";
import { writeGlossaryPage } from "./docs/glossary-page.ts";
import { root } from "./steps.ts";

/** Generated pages: path in the repository → text. */
export async function generateDocs(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["docs/reference/cli.md", renderCliPage(buildDocumentedProgram())],
    ["docs/reference/errors.md", writeErrorsPage()],
    ["docs/reference/glossary.md", await writeGlossaryPage()],
  ]);
}

async function main(isCheck: boolean): Promise<void> {
  for (const [path, text] of await generateDocs()) {
    const file = join(root, path);
    const old = await readFile(file, "utf8").catch(() => undefined);
    if (old === text) continue;
    if (isCheck) {
      console.error(`${path} is not what the code says: run \`npm run docs\` and commit the page.`);
      process.exitCode = 1;
    } else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      console.log(`wrote ${path}`);
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main(process.argv.includes("--check"));
}
