/** What containers are told to do is what the command line knows: in the image, in compose, and in the modules. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildDocumentedProgram, listCommands } from "../../scripts/docs/cli-page.ts";
import { root } from "../../scripts/steps.ts";

const program = buildDocumentedProgram();
const commands = new Map(
  listCommands(program).map(({ name, command }) => [name.slice("leat ".length), command]),
);
const readText = (path: string): string => readFileSync(join(root, path), "utf8");

/** Lists of words behind `CMD`, `command:` or `args =`. */
function wordLists(text: string): readonly (readonly string[])[] {
  const lists = [...text.matchAll(/(?:^CMD|^ +command:|\bargs\s+=)\s*\[([^\]]*)\]/gm)].map(
    ([, words]) => words!,
  );
  return lists.map((words) => [...words.matchAll(/"([^"]*)"/g)].map(([, word]) => word!));
}

describe.each([
  ["templates/container/Dockerfile", 1],
  ["templates/container/compose.yaml", 3],
  ["terraform/modules/app/main.tf", 2],
  ["terraform/modules/api/main.tf", 1],
] as const)("%s", (path, count) => {
  test("starts commands of leat, with options that they have", () => {
    const lists = wordLists(readText(path));
    expect(lists).toHaveLength(count);
    for (const [name = "", ...words] of lists) {
      const command = commands.get(name);
      expect(command, name).toBeDefined();
      const known = [...(command?.options ?? []), ...program.options].map(({ long }) => long);
      expect(words.filter((word) => word.startsWith("--") && !known.includes(word))).toEqual([]);
    }
  });
});

test("an image holds neither secrets nor data", () => {
  const ignored = readText("templates/container/dockerignore").split("\n");
  for (const name of [".env", ".leat", ".git", "node_modules", "**/*.tfstate*"])
    expect(ignored).toContain(name);
});

test("no module or example makes a version of a secret, whose value would be in the state", () => {
  const modules = ["main", "variables", "outputs"].map((name) => readText(`terraform/${name}.tf`));
  const secrets = readText("terraform/modules/secrets/main.tf");
  expect([...modules, secrets].join("")).not.toMatch(/google_secret_manager_secret_version|secret_data/);
});
