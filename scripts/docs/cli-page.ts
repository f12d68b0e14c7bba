/** `docs/reference/cli.md`, from the program that the command line runs. */
import type { Command } from "commander";
import { buildProgram } from "../../src/cli/program.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { escapeCell, generatedNote } from "./markdown.ts";

/** The program as it is declared; no command of it is run, so it needs no world. */
export function buildDocumentedProgram(): Command {
  const terminal: Terminal = {
    out() {},
    err() {},
    guard() {},
    redact: (text) => text,
    isLive: false,
    columns: 80,
    rows: 24,
  };
  const { signal } = new AbortController();
  return buildProgram(
    { terminal, signal, listen() {}, cwd: ".", environment: {}, atEnd() {}, finish() {} },
    "0.0.0",
  );
}

/** A command with its full name, and its ancestors' name in front. */
export type NamedCommand = Readonly<{ name: string; command: Command }>;

/** Every command that does something itself, in the order of declaration, subcommands after their parent. */
export function listCommands(program: Command): readonly NamedCommand[] {
  const visit = (command: Command, name: string): readonly NamedCommand[] => {
    const children = command
      .createHelp()
      .visibleCommands(command)
      .filter((child) => child.name() !== "help");
    const below = children.flatMap((child) => visit(child, `${name} ${child.name()}`));
    return children.length > 0 ? below : [{ name, command }];
  };
  return visit(program, program.name());
}

/** The page: usage, arguments and options of every command. */
export function renderCliPage(program: Command): string {
  const options = optionRows(program);
  return [
    "# Command line",
    "",
    generatedNote("src/cli"),
    "",
    program.description(),
    "",
    ...(options.length > 0 ? ["Options of every command:", "", ...tableOf("option", options), ""] : []),
    ...listCommands(program).flatMap(renderCommand),
  ].join("\n");
}

function renderCommand({ name, command }: NamedCommand): readonly string[] {
  const argumentRows = command.registeredArguments.map((argument) =>
    row(argument.required ? `<${argument.name()}>` : `[${argument.name()}]`, argument.description),
  );
  const options = optionRows(command);
  return [
    `## ${name}`,
    "",
    command.description(),
    "",
    "```sh",
    `${name} ${command.usage()}`.trim(),
    "```",
    "",
    ...(argumentRows.length > 0 ? [...tableOf("argument", argumentRows), ""] : []),
    ...(options.length > 0 ? [...tableOf("option", options), ""] : []),
  ];
}

function optionRows(command: Command): readonly string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.long !== "--help" && option.long !== "--version")
    .map((option) => {
      const hasDefault = option.defaultValue !== undefined && option.defaultValue !== false;
      const isTold = !hasDefault || option.description.includes("Default:");
      const fallback = option.defaultValueDescription ?? `\`${option.defaultValue}\``;
      return row(option.flags, option.description + (isTold ? "" : ` Default: ${fallback}.`));
    });
}

const row = (name: string, description: string): string =>
  `| \`${escapeCell(name)}\` | ${escapeCell(description)} |`;

const tableOf = (name: string, rows: readonly string[]): readonly string[] => [
  `| ${name} | |`,
  "|---|---|",
  ...rows,
];
