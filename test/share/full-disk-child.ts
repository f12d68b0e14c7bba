/** With a small disk at FOLDER: delivers, fills the disk, delivers again, makes room, delivers; `full-disk-child.ts KIND FOLDER`. */
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isLeatError } from "../../src/errors/leat-error.ts";
import { plant } from "../../src/testing/warehouse-under-test.ts";
import { openTarget } from "./open-target.ts";
import { openStand } from "./share-stand.ts";

const [kind = "", disk = ""] = process.argv.slice(2);
const address = `${kind}:${join(disk, "customer")}`;
await using stand = await openStand(async () => ({
  address,
  open: openTarget,
  relations: async () => [],
  dispose: async () => {},
}));
const count = async (): Promise<number> => {
  const { receipts } = await stand.table({ mode: "deliver" });
  return receipts[0]?.rows ?? 0;
};
const day = "2026-01-01T00:00:00Z";
const noise = (): string => Math.random().toString(36).repeat(8);
await stand.land(Array.from({ length: 10 }, (_, id) => plant(id, day)));
const first = await stand.table();
const kept = await count();
const { bavail, bsize } = statfsSync(disk);
writeFileSync(join(disk, "ballast"), Buffer.alloc(bavail * bsize - 400_000));
await stand.land(Array.from({ length: 20_000 }, (_, id) => plant(100 + id, day, `"v":"${noise()}"`)));
const told = await stand.table().then(
  () => "nothing",
  (error: unknown) => (isLeatError(error) ? { code: error.code, retryable: error.retryable } : String(error)),
);
rmSync(join(disk, "ballast"));
const again = await stand.table();
const after = await count();
process.stdout.write(JSON.stringify({ first, kept, told, again, after }));
