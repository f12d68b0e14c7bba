/** Logs as JSON lines, in the form that Google Cloud reads when there. */
import { type DestinationStream, type Logger, pino } from "pino";
import { printErrorJson } from "../errors/print-error.ts";
import type { ProgressEvent } from "../ports/world.ts";

/** Where and how logs are written. */
export type LogOptions = Readonly<{
  /** Takes one line at a time; secrets are taken out before. */
  destination: DestinationStream;
  level: string;
  /** Cloud Logging's field names: `severity` and `message`. */
  isGoogleCloud: boolean;
  redact: (text: string) => string;
  /** Fields of every line, asked for when it is written. */
  mixin?: () => object;
}>;

const severities: Readonly<Record<string, string>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warn: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

/** Opens a logger. */
export function openLogger(options: LogOptions): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      ...(options.mixin !== undefined && { mixin: options.mixin }),
      messageKey: options.isGoogleCloud ? "message" : "msg",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) =>
          options.isGoogleCloud ? { severity: severities[label] ?? "DEFAULT" } : { level: label },
      },
      serializers: {
        // Not pino's own: it writes every property of an error, and of its cause, such as a request's headers.
        err: (error: unknown) => printErrorJson(error, options.redact),
      },
    },
    { write: (line) => options.destination.write(options.redact(line)) },
  );
}

/** Logs what goes on inside of a sync: commits, loads and warnings; the steps in between only tell that it lives. */
export function logProgress(log: Logger, event: ProgressEvent): void {
  const { type, ...facts } = event;
  if (type === "warning") log.warn(facts, event.message);
  else if (type === "extract") log.debug(facts, type);
  else log.info(facts, type);
}
