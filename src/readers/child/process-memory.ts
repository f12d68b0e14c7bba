/** Memory of another process, as the system counts it. */
import { readFileSync } from "node:fs";

/** Whether {@link readMemory} can tell. */
export const canReadMemory: boolean = process.platform === "linux";

/**
 * Resident memory of a process in bytes.
 *
 * The process itself counts less: memory of buffers is outside of the heap's limits. From `status` and not `statm`,
 * whose pages have another size on other machines.
 *
 * @returns `undefined`: the process has ended, or this system does not tell.
 */
export function readMemory(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}
