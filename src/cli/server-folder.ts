/**
 * A server's folder for temporary files: removed when it ends, and by the next one where it was killed and could not.
 *
 * The name says whose it is: `leat-serve-<machine>-<pid>-<start>-<random>`. A folder is left over when no process of this
 * machine has that number, or one that began at another time. Machines, and containers that share a folder, cannot see
 * each other's processes, and leave each other's folders alone.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

const namePattern = /^leat-serve-([0-9a-f]{8})-([0-9]{1,10})-([0-9]{1,20})-[A-Za-z0-9]{6}$/;

/** Makes the folder, and removes those of servers that are gone. @param parent - the system's temporary folder. */
export async function makeServerFolder(parent: string): Promise<string> {
  await removeLeft(parent);
  return await mkdtemp(join(parent, `leat-serve-${machine()}-${process.pid}-${startOf(process.pid)}-`));
}

/** Whatever cannot be removed is left: it is somebody else's, and the server must start. */
async function removeLeft(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const [, of, pid, start] = namePattern.exec(name) ?? [];
    if (of !== machine() || isAlive(Number(pid), start!)) continue; // The pattern has them all.
    const path = join(parent, name);
    const found = await lstat(path).catch(() => undefined);
    const isOurs = found?.isDirectory() === true && found.uid === (process.getuid?.() ?? found.uid);
    if (isOurs) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

const machine = (): string => createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not permitted: then there is one, of another user.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  const now = startOf(pid);
  return now === "0" || start === "0" || now === start;
}

/** When a process began, in ticks since the system did; `0` where the system does not tell. */
function startOf(pid: number): string {
  try {
    // The name, in brackets, may hold anything; the 22nd field is the 20th behind it.
    return (
      /^[0-9]+ \(.*\)(?: \S+){19} ([0-9]+)/s.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1] ?? "0"
    );
  } catch {
    return "0";
  }
}
