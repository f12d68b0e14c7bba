/** Ctrl-C and SIGTERM: the first stops at the next safe point, the second at once. */
import { LeatError } from "../errors/leat-error.ts";

/** What is told and done on the way. */
export type InterruptActions = Readonly<{
  /** After the first signal. */
  onFirst: (signal: string) => void;
  /** After the second; does not come back. */
  onSecond: () => void;
}>;

/** What stops a command, from when it is listened for. */
export type Interrupts = Readonly<{
  /** Aborted with `INTERRUPTED` by the first signal. */
  signal: AbortSignal;
  /**
   * Listens to SIGINT and SIGTERM from now on. Until then they end the process at once: while the project's own
   * configuration runs, which may never come to an end, nothing is done yet that would need a safe point.
   */
  listen: () => void;
}>;

/** Prepares to listen to SIGINT and SIGTERM. */
export function openInterrupts(process: NodeJS.Process, actions: InterruptActions): Interrupts {
  const controller = new AbortController();
  let isListening = false;
  const listen = (): void => {
    if (isListening) return;
    isListening = true;
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.on(name, () => {
        if (controller.signal.aborted) return actions.onSecond();
        actions.onFirst(name);
        controller.abort(new LeatError("INTERRUPTED", { message: `Stopped by ${name}.` }));
      });
    }
  };
  return { signal: controller.signal, listen };
}
