/**
 * Compiles the fast reader of rows and writes it down as TypeScript, so that neither installing nor running leat
 * builds anything. Run `node scripts/build-scanner.ts` after a change in `src/scan/wasm` or in the tables it shares.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import asc from "assemblyscript/asc";
import { kindBits } from "../src/model/column-kinds.ts";
import * as keyTrie from "../src/scan/key-trie.ts";
import * as layout from "../src/scan/wasm/memory-layout.ts";
import { root } from "./steps.ts";

const sourceFolder = join(root, "src/scan/wasm/assembly");
const outputPath = join(root, "src/scan/wasm/scanner-module.ts");
/** Characters of base64 on a line of the generated file. */
const lineLength = 100;

/** The text of `scanner-module.ts` for the sources as they are. Equal sources give equal text. */
export async function compileScanner(): Promise<string> {
  let compiled: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      "record-reader.ts",
      ...["--outFile", "scanner.wasm", "--optimizeLevel", "3", "--runtime", "stub", "--noAssert"],
      ...["--importMemory", "--noExportMemory", "--enable", "simd", "--use", "abort="],
    ],
    {
      readFile: async (name) => (name === "constants.ts" ? constantsText() : await readSource(name)),
      writeFile: (_name, contents) => {
        compiled = Buffer.from(contents);
      },
      listFiles: () => [],
    },
  );
  if (error !== null || compiled === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`);
  return moduleText(compiled);
}

/** The compiler wants names that end in `.ts`; ours do not, since these are not TypeScript. */
async function readSource(name: string): Promise<string | null> {
  try {
    return await readFile(join(sourceFolder, name.replace(/\.ts$/, ".as")), "utf8");
  } catch {
    return null; // The compiler asks at several places for each import.
  }
}

/** Numbers that the module shares with the plain scanner, which has the one copy of them. */
function constantsText(): string {
  const bits = Object.entries(kindBits).map(([kind, bit]) => [`${kind}Bit`, bit] as const);
  const shared = [...Object.entries(layout), ...Object.entries(keyTrie), ...bits];
  return shared
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => `export const ${name}: i32 = ${String(value)};\n`)
    .join("");
}

function moduleText(compiled: Uint8Array): string {
  const base64 = Buffer.from(compiled).toString("base64");
  const lines = base64.match(new RegExp(`.{1,${lineLength}}`, "g")) ?? [];
  return [
    "/** The fast reader of rows, compiled from `assembly/` by `scripts/build-scanner.ts`; do not edit. */\n",
    "\n// biome-ignore-all format: one line of the module a line.\n",
    "export const scannerModule: string = [\n",
    ...lines.map((line) => `  "${line}",\n`),
    '].join("");\n',
  ].join("");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await writeFile(outputPath, await compileScanner());
}
