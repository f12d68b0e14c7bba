/** The command line's beginning and end: reads the arguments, runs one command, exits with its code. */
import type { Writable } from "node:stream";
import { type Command, CommanderError } from "commander";
import { type Environment, processEnvironment } from "../config/environment.ts";
import { LeatError } from "../errors/leat-error.ts";
import { printErrorJson } from "../errors/print-error.ts";
import { type Interrupts, openInterrupts } from "./interrupt.ts";
import type { ExitCode, Invocation } from "./invocation.ts";
import { buildProgram } from "./program.ts";
import { readVersion } from "./read-version.ts";
import { exitCodeOf, reportError } from "./report-error.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** What a command line runs in: this process's own, or a test's. */
export type CommandLineWorld = Readonly<{
  stdout: Writable;
  stderr: Writable;
  cwd: string;
  environment: Environment;
  /** What stops a command, and how that is told. */
  openInterrupts: (terminal: Terminal) => Interrupts;
}>;

/** Runs the command line of this process, and ends the process. */
export async function main(argv: readonly string[]): Promise<never> {
  const { stdout, stderr } = process;
  let isEnded = false;
  let hasStrayed = false;
  let tell = (error: unknown): void => console.error(error);
  // A promise of a stream's code that nobody waited for: the run goes on, and others' runs beside it, but it is told.
  process.on("unhandledRejection", (reason) => {
    hasStrayed = true;
    tell(reason);
  });
  process.on("uncaughtException", (error) => {
    tell(error);
    process.exit(1);
  });
  process.on("exit", (code) => {
    if (isEnded || code !== 0) return;
    // The project's code has called `process.exit`, or waits for what nothing will ever bring.
    stderr.write("error INTERNAL: leat was ended from within, and has not done what was asked.\n");
    stderr.write(
      "  hint: Look in leat.config.ts and what it imports for process.exit or a promise that never settles.\n",
    );
    process.exitCode = 1;
  });
  const code = await runCommandLine(argv, {
    stdout,
    stderr,
    cwd: process.cwd(),
    environment: processEnvironment(),
    openInterrupts: (terminal) => {
      tell = (error) => reportError(terminal, error);
      return openInterrupts(process, {
        onFirst: (name) =>
          terminal.err(`\n${name}: stopping at the next safe point; once more to stop at once.\n`),
        onSecond: () => process.exit(130),
      });
    },
  });
  isEnded = true;
  process.exit(code === 0 && hasStrayed ? 1 : code); // Not only the code: engines may keep the loop alive.
}

/** Runs one command to its end, all that it wrote included. */
export async function runCommandLine(argv: readonly string[], world: CommandLineWorld): Promise<ExitCode> {
  const { stdout, stderr, cwd, environment } = world;
  const terminal = openTerminal(stdout, stderr);
  const { signal, listen } = world.openInterrupts(terminal);
  let code: ExitCode = 0;
  const cleanups: (() => Promise<unknown>)[] = [];
  const invocation: Invocation = {
    terminal,
    signal,
    listen,
    cwd,
    environment,
    // Not `await using`, which Node 22 cannot read.
    atEnd: (cleanup) => void cleanups.unshift(cleanup),
    finish: (ended) => {
      code = ended;
    },
  };
  const isJson = argv.includes("--json");
  try {
    const program = buildProgram(invocation, readVersion());
    throwInsteadOfExit(program, terminal, isJson);
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    const failure = error instanceof CommanderError ? toUsageError(error) : error;
    if (failure !== undefined) {
      if (isJson)
        terminal.out(`${JSON.stringify({ error: printErrorJson(failure, terminal.redact) }, null, 2)}\n`);
      const isTold = error instanceof CommanderError && !isJson; // Commander has written it already.
      if (!isTold) reportError(terminal, failure);
      code = exitCodeOf(failure);
    }
  }
  for (const cleanup of cleanups) await cleanup().catch((error: unknown) => reportError(terminal, error));
  await flush(stdout);
  await flush(stderr);
  return code;
}

/** Every command throws where commander would end the process; with `--json` its own text is ours to write. */
function throwInsteadOfExit(command: Command, terminal: Terminal, isJson: boolean): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.out(text),
    writeErr: (text) => {
      if (!isJson) terminal.err(text.replace(/^error: /, "error USAGE: "));
    },
  });
  for (const child of command.commands) throwInsteadOfExit(child, terminal, isJson);
}

/** Help and version are no failures. */
function toUsageError(error: CommanderError): LeatError | undefined {
  if (error.exitCode === 0) return undefined;
  const said = error.message.replace(/^error: /, "").replaceAll("\n", " ");
  const message = error.code === "commander.help" ? "No command was given." : said;
  return new LeatError("USAGE", { message });
}

/** Waits until what was written has left; a pipe may be slow, and exiting would cut the text. */
function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}
