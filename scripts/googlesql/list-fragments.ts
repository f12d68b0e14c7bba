/** Pieces of SQL as the sources have them: what was never analysed is a statement that no test makes leat write. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../steps.ts";

/** A piece of a literal between two values that are put into it. */
export type Fragment = Readonly<{ file: string; text: string }>;

const folder = "src/warehouses/bigquery";
/** Words with which GoogleSQL's statements and clauses begin, in capitals as the sources write them. */
const keyword =
  /\b(SELECT|FROM|WHERE|MERGE|INSERT INTO|DELETE FROM|UPDATE|CREATE|ASSERT|BEGIN|COMMIT|GROUP BY|ORDER BY|PARTITION BY|UNION ALL|WHEN (?:NOT )?MATCHED|CAST|IFNULL|COALESCE|CASE)\b/;
/** Shorter pieces would be found anywhere. */
const charsMin = 12;

/** Lists them by file, in the sources' order. */
export function listFragments(): readonly Fragment[] {
  const files = readdirSync(join(root, folder)).filter((name) => /(?<!\.test)\.ts$/.test(name));
  return files.flatMap((file) =>
    literalsOf(readFileSync(join(root, folder, file), "utf8"))
      .flatMap((literal) => literal.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/))
      // Of a template with another one inside, what stands before that.
      .map((text) =>
        text
          .replace(/\$\{[\s\S]*$/, "")
          .replaceAll(/\\(.)/g, toCharacter)
          .trim(),
      )
      .filter((text) => text.length >= charsMin && keyword.test(text) && !text.includes(").join("))
      .map((text) => ({ file: `${folder}/${file}`, text })),
  );
}

const toCharacter = (_: string, letter: string): string => (letter === "n" ? "\n" : letter);

/** Contents of texts and templates outside of comments and of what people are told. */
function literalsOf(source: string): readonly string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const literals =
    /((?:message|hint|what|description):\s*)?(?:`((?:[^`\\]|\\[\s\S])*)`|"((?:[^"\\\n]|\\.)*)")/g;
  return [...code.matchAll(literals)].flatMap(([, said, template, text]) =>
    said === undefined ? [template ?? text ?? ""] : [],
  );
}
