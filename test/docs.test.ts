/** Documents are tested against the code, so that they cannot lie later. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { buildDocumentedProgram, listCommands } from "../scripts/docs/cli-page.ts";
import { generateDocs } from "../scripts/generate-docs.ts";
import { root } from "../scripts/steps.ts";
import { codes } from "../src/errors/codes.ts";
import { compileBlocks } from "./docs/compile-blocks.ts";
import { anchorOf, readPage } from "./docs/markdown-page.ts";

const readText = (path: string): string => readFileSync(join(root, path), "utf8");
const listFiles = (folder: string, ending: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .split(sep)
        .join("/"),
    )
    .filter((path) => !/(^|\/)(node_modules|dist|golden|\.leat)\//.test(path));

const paths = [...["docs", "examples"].flatMap((folder) => listFiles(folder, ".md")), "README.md"];
const pages = [...paths, "CONTRIBUTING.md"].map((path) => readPage(path, readText(path)));
const pageOf = new Map(pages.map((page) => [page.path, page]));
const generated = await generateDocs();

describe("reference pages", () => {
  test.each([...generated.keys()])("%s is what the code says", (path) => {
    expect(readText(path), "run `npm run docs`").toBe(generated.get(path));
  });
});

describe("pages name what exists", () => {
  test("files", () => {
    const missing = pages.flatMap(({ path, spans }) =>
      spans
        .filter((span) =>
          /^(src|test|scripts|docs|examples|bench|bin|templates|\.githooks|\.ci)\//.test(span),
        )
        .filter((span) => !/[<>*]/.test(span) && !existsSync(join(root, span)))
        .map((span) => `${path}: ${span}`),
    );
    expect(missing).toEqual([]);
  });

  test("pages and headings they link to", () => {
    const broken = pages.flatMap(({ path, links }) =>
      links
        .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(path, link))
        .map((link) => `${path}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test("error codes", () => {
    const known = new Set(Object.keys(codes));
    const unknown = pages.flatMap(({ path, spans }) =>
      spans
        .filter(
          (span) => /^[A-Z]+(_[A-Z]+)+$/.test(span) && !/^(LEAT|AWS|GOOGLE)_/.test(span) && !known.has(span),
        )
        .map((span) => `${path}: ${span}`),
    );
    expect(unknown).toEqual([]);
  });

  test("commands and options of leat", () => {
    const program = buildDocumentedProgram();
    const commands = listCommands(program);
    const optionsOf = (...all: readonly Command[]): readonly string[] =>
      all.flatMap((command) => command.options.flatMap(({ long, short }) => [long ?? "", short ?? ""]));
    const unknown = pages.flatMap(({ path, spans, blocks }) =>
      [
        ...spans,
        ...blocks
          .filter(({ language }) => /^(sh|console)$/.test(language))
          .flatMap(({ text }) => text.split("\n")),
      ]
        .map((line) => line.replace(/^(\$ )?(npx )?/, "").replace(/ #.*$/, ""))
        .filter((line) => line.startsWith("leat "))
        .filter((line) => {
          const known = commands.find(({ name }) => `${line} `.startsWith(`${name} `));
          if (known === undefined) return !/^leat (--version|--help|-V|-h)$/.test(line);
          const options = [...optionsOf(program, known.command), "--help"];
          return [...line.matchAll(/(?<=\s)--?[a-z][\w-]*/g)].some(([option]) => !options.includes(option));
        })
        .map((line) => `${path}: ${line}`),
    );
    expect(unknown).toEqual([]);
  });

  test("npm scripts", () => {
    const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
    const unknown = pages.flatMap(({ path, spans, blocks }) =>
      [...spans, ...blocks.map(({ text }) => text)]
        .flatMap((text) => [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!))
        .filter((name) => !Object.hasOwn(scripts, name))
        .map((name) => `${path}: npm run ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});

/** Whether a relative link leads to a file that exists and, in a page, to a heading of it. */
function leadsSomewhere(from: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? from : join(dirname(from), file).split(sep).join("/");
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || (pageOf.get(target)?.anchors.includes(anchor) ?? false);
}

describe("the protocol and the tests", () => {
  const numbers = [...readText("docs/protocol.md").matchAll(/^\*\*(I\d+) /gm)].map(([, number]) => number!);
  // Contract suites, whose tests run wherever an adapter is tested, are not `.test.ts` files.
  const testFiles = ["test", "src/testing"]
    .flatMap((folder) => listFiles(folder, ".ts"))
    .concat(listFiles("src", ".test.ts"));
  const named = new Set(
    testFiles.flatMap((path) =>
      [...readText(path).matchAll(/\(\s*["'`](I\d+) [^"'`]/g)].map(([, number]) => number!),
    ),
  );

  test("each invariant is defined once", () => {
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual([...new Set(numbers)]);
  });

  test("each invariant has a test named after it", () => {
    expect(numbers.filter((number) => !named.has(number))).toEqual([]);
  });

  test("each test that names an invariant names one of the protocol", () => {
    expect([...named].filter((number) => !numbers.includes(number))).toEqual([]);
  });
});

test("the TypeScript of every page compiles as a user's would", async () => {
  expect(await compileBlocks(pages)).toBe("");
});

describe("the README", () => {
  test("fits on one screen", () => {
    expect(readText("README.md").split("\n").length).toBeLessThanOrEqual(90);
  });

  test("gives exactly the commands that CI runs", () => {
    expect(readText("README.md")).toContain("npm ci && npm test");
    const commands = readText(".ci/run")
      .split("\n")
      .filter((line) => line.startsWith("npm "));
    expect(commands).toEqual(["npm ci </dev/null", "npm test </dev/null"]);
  });
});

describe("the tests of pages find what they look for", () => {
  test("anchors are made as GitHub makes them", () => {
    expect(anchorOf("Load: exactly once, `twice` never")).toBe("load-exactly-once-twice-never");
  });

  test("code in a block is not inline code, and comments are not shown", () => {
    const page = readPage("a.md", "# A b\n`x` [l](b.md#c)\n```sh\n`y` [m](n)\n```\n<!-- `z` -->\n");
    expect(page.spans).toEqual(["x"]);
    expect(page.links).toEqual(["b.md#c"]);
    expect(page.blocks).toEqual([{ language: "sh", text: "`y` [m](n)\n" }]);
    expect(page.anchors).toEqual(["a-b"]);
  });
});
