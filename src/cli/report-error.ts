/** How failures are told: `error CODE: message` and what to do, or JSON; and the exit code they lead to. */
import type { ErrorCode } from "../errors/codes.ts";
import { isLeatError, type LeatError } from "../errors/leat-error.ts";
import { causesOf } from "../errors/print-error.ts";
import type { ExitCode } from "./invocation.ts";
import { printable, type Terminal } from "./terminal.ts";

/** Codes that mean: nothing was tried, since what was asked for or configured is wrong. */
const wrongUsage: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "USAGE",
  "CONFIG_INVALID",
  "CONFIG_MISSING",
  "TENANTS_INVALID",
  "TENANT_UNKNOWN",
  "TENANT_NOT_READ",
  "STREAM_UNKNOWN",
  "SHARE_UNKNOWN",
  "DATASET_UNKNOWN",
  "VERSION_UNKNOWN",
  "NAME_INVALID",
  "DEPENDENCY_MISSING",
  "NOT_SUPPORTED",
  "CURSOR_INVALID",
  "FLOW_UNKNOWN",
  "PARAMS_INVALID",
  "RUN_UNKNOWN",
  "TASK_UNKNOWN",
  "SCHEDULE_UNKNOWN",
]);

/** The exit code of a failure that ended the command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isLeatError(error)) return 1;
  if (error.code === "INTERRUPTED") return 130;
  return wrongUsage.has(error.code) ? 2 : 1;
}

/** Writes one failure to stderr for a person. */
export function reportError(terminal: Terminal, error: unknown): void {
  if (!isLeatError(error)) {
    // Not foreseen, so the way there is what helps.
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(`error INTERNAL: ${printable(told)}\n`);
    return;
  }
  terminal.err(`error ${error.code}: ${printable(error.message)}${placeOf(error)}\n`);
  for (const cause of causesOf(error)) {
    if (!error.hint.includes(cause)) terminal.err(`  because: ${indented(cause)}\n`);
  }
  terminal.err(`  hint: ${indented(error.hint)}\n`);
}

/** Where it happened, when the message does not say so itself. */
function placeOf(error: LeatError): string {
  const { source, stream, tenant, dataset } = error.details;
  const parts: string[] = [];
  if (typeof stream === "string") {
    const name = typeof source === "string" ? `${source}.${stream}` : stream;
    if (!error.message.includes(name)) parts.push(name);
  }
  // The id alone may be part of an address or of a variable's name.
  if (typeof tenant === "string" && !error.message.includes(`tenant ${tenant}`))
    parts.push(`tenant ${tenant}`);
  if (typeof dataset === "string" && !error.message.includes(dataset)) parts.push(`dataset ${dataset}`);
  return parts.length === 0 ? "" : ` (${printable(parts.join(", "))})`;
}

/** Lines after the first stand under it. */
const indented = (text: string): string => printable(text.trimEnd()).replaceAll("\n", "\n    ");
