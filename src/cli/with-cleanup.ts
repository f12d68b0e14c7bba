/** Work that leaves nothing open. */
import type { Invocation } from "./invocation.ts";

/** A step's own folders and readers end with the step: the process that does it may live for weeks, or be killed. */
export async function withCleanup<Result>(
  call: (atEnd: Invocation["atEnd"]) => Promise<Result>,
): Promise<Result> {
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    return await call((cleanup) => void cleanups.unshift(cleanup));
  } finally {
    for (const cleanup of cleanups) await cleanup().catch(() => {}); // `gc` finds what is left.
  }
}
