/** `docs/reference/glossary.md`, from the doc comments that begin with a `**term**`. */
import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { root } from "../steps.ts";
import { generatedNote } from "./markdown.ts";

/** A word with its one meaning, and the file that owns it. */
export type Term = Readonly<{ term: string; meaning: string; path: string }>;

/** Reads the terms out of a file: the first paragraph of each doc comment that begins with a term in bold. */
export function readTerms(path: string, text: string): readonly Term[] {
  return [...text.matchAll(/\/\*\*([\s\S]*?)\*\//g)].flatMap(([, comment]) => {
    const plain = comment!.replace(/\n[ \t]*\* ?/g, "\n").trim();
    const match = /^\*\*([a-z][a-z -]*)\*\*\s+([\s\S]+?)(\n\s*\n|$)/.exec(plain);
    return match === null ? [] : [{ term: match[1]!, meaning: match[2]!.replace(/\s+/g, " "), path }];
  });
}

/** The page: every term of `src/model` and `src/ports` in alphabetical order. */
export async function writeGlossaryPage(): Promise<string> {
  const terms: Term[] = [];
  for (const folder of ["src/model", "src/ports"]) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts")).sort()) {
      const path = `${folder}/${name.split(sep).join("/")}`;
      terms.push(...readTerms(path, await readFile(join(root, path), "utf8")));
    }
  }
  terms.sort((a, b) => (a.term < b.term ? -1 : a.term > b.term ? 1 : 0));
  return [
    "# Glossary",
    "",
    generatedNote("the doc comments of src/model and src/ports"),
    "",
    "One meaning for each word, in code, messages and pages alike.",
    "",
    ...terms.map(({ term, meaning, path }) => `- **${term}**: ${meaning} ([${path}](../../${path}))`),
    "",
  ].join("\n");
}
