/** Folders beside the warehouse in which commands work: the system's own is often small or in memory. */
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";

/**
 * What leat puts beside the warehouse while it works. People keep folders of their own there, such as `work-sheets`,
 * whence the first word.
 */
const leftover = /^(leat-(work|share|load|rejects)-[A-Za-z0-9]{6}|.+\.rebuilding-[0-9a-f]{12}(\.wal)?)$/;

/** Makes one. Should its process be killed, `gc` knows the name. @param parent - the warehouse's `stateFolder`. */
export async function makeWorkFolder(parent: string, purpose: "work" | "share"): Promise<string> {
  await mkdir(parent, { recursive: true });
  return await mkdtemp(join(parent, `leat-${purpose}-`));
}

/** Whether something beside the warehouse is leat's, and nobody's once it is old. @param name - without its folder. */
export const isLeftover = (name: string): boolean => leftover.test(name);
