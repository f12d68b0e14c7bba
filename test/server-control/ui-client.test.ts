/** The console's types are those of the API that answers it. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "../../scripts/steps.ts";

const run = promisify(execFile);

test("the committed types of the console are those that the API's description gives", {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "leat-ui-client-"));
  try {
    await run(process.execPath, [join(root, "scripts/generate-ui-client.ts"), folder]);
    const made = await readFile(join(folder, "types.gen.ts"), "utf8");
    const committed = await readFile(join(root, "ui/src/api/types.gen.ts"), "utf8");
    expect(committed, "run `npm run build:client` and commit the file").toBe(made);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
