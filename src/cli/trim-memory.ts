/** Gives back the memory that starting has left behind, for processes that then stay and mostly wait. */
import { Session } from "node:inspector/promises";
import { setFlagsFromString } from "node:v8";

/**
 * Collects garbage as the engine does when memory is short: once, before there is work.
 *
 * To load modules and open what they need grows the heap by what is never needed again, and an idle process does not
 * allocate enough for the engine to notice: `leat up` then stayed at 157 MB instead of 118 MB (Node 24, Linux).
 * It takes some 100 ms, in which nothing else is done.
 */
export async function trimMemory(): Promise<void> {
  const session = new Session();
  session.connect();
  setFlagsFromString("--no-flush-bytecode"); // The first run is to begin as soon as without this.
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    setFlagsFromString("--flush-bytecode");
    session.disconnect();
  }
}
