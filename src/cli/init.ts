/** `leat init`: a project that works at once, without a network. */
import type { Command } from "commander";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";

export function addInit(program: Command, invocation: Invocation): void {
  const command = program
    .command("init")
    .summary("Make a working project in a folder.")
    .description(
      "Makes a project that works at once: a configuration with a small source that reads a local file, tenants, an example of .env, and a test. Existing files are left as they are.",
    )
    .argument("[folder]", "Where; made if it is not there.", ".")
    .action(async (folder: string) => {
      invocation.finish(await init(invocation, folder, command.optsWithGlobals<GlobalOptions>()));
    });
}

async function init(invocation: Invocation, folder: string, options: GlobalOptions): Promise<ExitCode> {
  const { scaffoldProject } = await import("./scaffold-project.ts");
  const { terminal, cwd } = invocation;
  const done = await scaffoldProject(cwd, folder);
  if (options.json) {
    terminal.out(`${JSON.stringify(done, null, 2)}\n`);
    return 0;
  }
  for (const name of done.created) terminal.out(`made      ${name}\n`);
  for (const name of done.kept) terminal.out(`was there ${name} (left as it is)\n`);
  for (const note of done.notes) terminal.out(`${note}\n`);
  terminal.out(`\nNext:\n${done.next.map((line) => `  ${line}\n`).join("")}`);
  return 0;
}
