/** What the compose file starts, held against the commands that there are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildDocumentedProgram, listCommands } from "../../scripts/docs/cli-page.ts";
import { root } from "../../scripts/steps.ts";

const compose = readFileSync(join(root, "templates/container/compose.yaml"), "utf8");

test("each service runs a command that exists, with its options", () => {
  const commands = new Map(listCommands(buildDocumentedProgram()).map((one) => [one.name, one.command]));
  const lists = [...compose.matchAll(/^ {4}command: \[([^\]]*)\]/gm)].map(([, list]) =>
    [...list!.matchAll(/"([^"]+)"/g)].map(([, word]) => word!),
  );
  expect(lists.map(([name]) => name)).toEqual(["up", "worker", "serve"]);
  for (const [name = "", ...args] of lists) {
    const command = commands.get(`leat ${name}`) ?? commands.get(name);
    expect(command, name).toBeDefined();
    const known = command!.options.map(({ long }) => long);
    for (const option of args.filter((word) => word.startsWith("--"))) expect(known).toContain(option);
  }
});

test("each open port is the one that its command listens at by default, on this machine alone", () => {
  const ports = [...compose.matchAll(/- "([^"]+):(\d+):(\d+)"/g)].map(([, host, from, to]) => [
    host,
    from,
    to,
  ]);
  expect(ports).toEqual([
    ["127.0.0.1", "4004", "4004"],
    ["127.0.0.1", "8080", "8080"],
  ]);
  const page = readFileSync(join(root, "docs/reference/cli.md"), "utf8");
  for (const [, , port] of ports) expect(page).toContain(port);
});

test("each variable is one that leat reads, and no secret has a value", () => {
  const names = [...compose.matchAll(/^ {4}(LEAT_[A-Z]+):/gm)].map(([, name]) => name!);
  expect(names.sort()).toEqual(["LEAT_LANDING", "LEAT_LEDGER", "LEAT_TOKEN", "LEAT_WAREHOUSE"]);
  for (const secret of ["POSTGRES_PASSWORD", "LEAT_TOKEN"])
    expect(compose).toMatch(new RegExp(`\\$\\{${secret}:\\?`));
});
