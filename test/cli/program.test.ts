import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import type { Invocation } from "../../src/cli/invocation.ts";
import { buildProgram } from "../../src/cli/program.ts";

const invocation: Invocation = {
  terminal: { out() {}, err() {}, guard() {}, redact: (text) => text, isLive: false, columns: 80, rows: 24 },
  signal: new AbortController().signal,
  listen() {},
  cwd: "/",
  environment: {},
  atEnd() {},
  finish() {},
};
const program = buildProgram(invocation, "1.2.3");

const flatten = (command: Command): Command[] => [command, ...command.commands.flatMap(flatten)];
const commands = flatten(program).slice(1);

describe("the help", () => {
  test("has every command", () => {
    const names = [
      "init",
      "check",
      "sync",
      "extract",
      "load",
      "build",
      "datasets",
      "diff",
      "run",
      "up",
      "worker",
      "flows",
      "schedules",
      "pause",
      "resume",
      "trigger",
      "backfill",
      "runs",
      "show",
      "logs",
      "retry",
      "cancel",
      "approve",
      "share",
      "state",
      "query",
      "rebuild",
      "verify",
      "quota",
      "gc",
      "serve",
      "keys",
      "serve-sync",
      "deploy",
    ];
    expect(program.commands.map((command) => command.name())).toEqual(names);
    const help = program.helpInformation();
    for (const name of names) expect(help).toMatch(new RegExp(`^ {2}${name} `, "m"));
  });

  test.each(
    commands.map((command) => [command.name(), command] as const),
  )("explains %s and each of its options", (_name, command) => {
    expect(command.description().length).toBeGreaterThan(30);
    for (const option of command.options) {
      expect(option.description, option.flags).toMatch(/^.{15,}\.?$/);
      expect(command.helpInformation()).toContain(option.flags);
    }
    for (const argument of command.registeredArguments) expect(argument.description).not.toBe("");
  });

  test("shows the options that every command takes, with each command", () => {
    for (const command of commands) expect(command.helpInformation()).toMatch(/--config <path>[\s\S]*--json/);
  });
});
