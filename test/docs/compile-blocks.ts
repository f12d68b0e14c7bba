/** Compiles the TypeScript of pages in a folder of its own, with `leat` leading to the sources. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/steps.ts";
import type { MarkdownPage } from "./markdown-page.ts";

/**
 * Compiles every `ts` block, each as a module of its own.
 *
 * @returns what the compiler says, `""` when nothing is wrong. A file is named for its page and the block's number.
 */
export async function compileBlocks(pages: readonly MarkdownPage[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "leat-docs-"));
  try {
    const files: string[] = [];
    for (const { path, blocks } of pages) {
      for (const [index, { text }] of blocks.filter(({ language }) => language === "ts").entries()) {
        const name = `${path.replace(/[^a-z0-9]+/gi, "-")}-${index + 1}.ts`;
        await writeFile(join(folder, name), text);
        files.push(name);
      }
    }
    if (files.length === 0) return "There is no TypeScript in any page.";
    const compilerOptions = {
      isolatedDeclarations: false,
      declaration: false,
      noUnusedLocals: false,
      typeRoots: [join(root, "node_modules/@types")],
      paths: { leat: [join(root, "src/index.ts")], "leat/testing": [join(root, "src/testing/index.ts")] },
    };
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const child = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
    return child.status === 0 ? "" : `${child.stdout}${child.stderr}` || `tsc ended with ${child.status}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
