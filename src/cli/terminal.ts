/** The command line's way out: the only writer of leat to stdout and stderr. */
import type { Writable } from "node:stream";
import type { WriteStream } from "node:tty";

/** Where a command writes. */
export interface Terminal {
  /** The result, for pipes and people. */
  out(text: string): void;
  /** Progress, notes and errors. Secrets resolved so far are taken out. */
  err(text: string): void;
  /** Whether stderr is a terminal on which lines can be drawn anew. */
  readonly isLive: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Sets what takes secrets out of text; `openProject` does, as soon as there are secrets. */
  guard(redact: (text: string) => string): void;
  redact(text: string): string;
}

/** Size assumed where none is known. */
const sizeDefault = { columns: 100, rows: 24 } as const;

/** Opens this process's terminal. */
export function openTerminal(stdout: Writable, stderr: Writable): Terminal {
  let redact = (text: string): string => text;
  // A reader that went away (`leat query … | head`) is no failure of ours.
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  const tty = stderr as Partial<WriteStream>; // The sizes are there only on terminals.
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(redact(text)),
    isLive: tty.isTTY === true,
    get columns() {
      return tty.columns ?? sizeDefault.columns;
    },
    get rows() {
      return tty.rows ?? sizeDefault.rows;
    },
    guard: (next) => {
      redact = next;
    },
    redact: (text) => redact(text),
  };
}

/**
 * Text of the world, harmless on a terminal: control characters (which move the cursor, rename the window or hide
 * lines) are written out.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

const grouped = new Intl.NumberFormat("en-US");

/** `1,234,567`. */
export const printCount = (count: number): string => grouped.format(count);

/** `4.2 MB`, in steps of 1000. */
export function printBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** `850 ms`, `12.3 s`, `4 min 5 s`. */
export function printSpan(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
