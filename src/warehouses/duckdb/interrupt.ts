/** Stops what the engine does. */
import type { DuckDBConnection } from "@duckdb/node-api";

/** Pause between two interrupts, ms: people wait for what they have stopped. */
const againMs = 20;

/**
 * Interrupts a connection's statements until they have ended: an interrupt that comes while a statement still waits for
 * its thread is forgotten, since the engine takes the mark away when it begins with the statement.
 *
 * @returns to be called when the work has ended, before the connection is closed.
 */
export function keepInterrupting(connection: DuckDBConnection): () => void {
  connection.interrupt();
  const timer = setInterval(() => connection.interrupt(), againMs);
  return () => clearInterval(timer);
}
