/** A file for as long as a test needs it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function withFile<Result>(
  content: string | Uint8Array,
  work: (path: string, folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "leat-readers-"));
  try {
    const path = join(folder, "file");
    writeFileSync(path, content);
    return await work(path, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
