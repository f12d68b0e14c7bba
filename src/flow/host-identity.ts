/** Which machine and process namespace this is, and whether a worker of it is alive. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { WorkerRecord } from "../model/run-record.ts";

/**
 * Names the place in which process ids mean the same thing.
 *
 * A host name alone may be shared, by containers of one image or machines that were cloned; on Linux the boot and the
 * namespace of processes tell them apart. Elsewhere the name is all there is, with its platform.
 */
export function readHost(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return `${hostname()} ${process.platform}`;
  }
}

/**
 * What this host knows of a worker: that it is dead, that it is alive, or (`undefined`) nothing that decides.
 *
 * A worker whose process is there may still have been stopped for good, so its lease decides. A run in the foreground may
 * keep its event loop busy for longer than any lease while it computes: as long as its process is there, it is alive.
 */
export function isDeadHere(worker: WorkerRecord, host: string): boolean | undefined {
  if (worker.host !== host) return undefined;
  if (!isProcess(worker.pid)) return true;
  return worker.kind === "foreground" ? false : undefined;
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
