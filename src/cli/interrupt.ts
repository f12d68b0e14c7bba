/** Ctrl-C and SIGTERM: the first stops at the next safe point, the second at once. */
import { LeatError } from "../errors/leat-error.ts";

/** What is told and done on the way. */
export type InterruptActions = Readonly<{
  /** After the first signal. */
  onFirst: (signal: string) => void;
  /** After the second; does not come back. */
  onSecond: () => void;
}>;

/**
 * Listens to SIGINT and SIGTERM.
 *
 * @returns a signal aborted with `INTERRUPTED` by the first of them.
 */
export function listenForInterrupts(process: NodeJS.Process, actions: InterruptActions): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) return actions.onSecond();
      actions.onFirst(name);
      controller.abort(new LeatError("INTERRUPTED", { message: `Stopped by ${name}.` }));
    });
  }
  return controller.signal;
}
