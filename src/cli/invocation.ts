/** One run of the command line: what every command is given. */
import type { Environment } from "../config/environment.ts";
import type { Terminal } from "./terminal.ts";

/** 0: all that was asked for was done. 1: not all. 2: wrong usage or configuration. 130: interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

/** The world of a command. */
export type Invocation = Readonly<{
  terminal: Terminal;
  /** Aborted by the first Ctrl-C or SIGTERM: stop at the next safe point. */
  signal: AbortSignal;
  /** From now on Ctrl-C and SIGTERM abort the signal; before, they end the process. */
  listen(): void;
  cwd: string;
  environment: Environment;
  /** Has something closed or removed when the command has ended, also by a failure; the last one first. */
  atEnd(cleanup: () => Promise<unknown>): void;
  /** How the command ended; the last word before the process exits. */
  finish(code: ExitCode): void;
}>;

/** Options that every command takes; commander reads them before and after the command's name. */
export type GlobalOptions = Readonly<{ config?: string; json?: boolean; quiet?: boolean }>;
