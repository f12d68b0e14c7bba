/** One sync of the shop as a process: `node sync-process.ts FOLDER URL`. Exit code 0 when every item went well. */
import { itemError } from "../../src/sync/sync-job.ts";
import { syncShop } from "./sync-shop.ts";

const [folder = "", url = ""] = process.argv.slice(2);
const hook = globalThis as { __leatArm?: () => void }; // Set by kill-hook.ts when that is loaded.
hook.__leatArm?.();
const { items } = await syncShop(folder, url);
const errors = items.map(itemError).filter((error) => error !== undefined);
for (const error of errors) console.error(`${error.code}: ${error.message}`, error.cause ?? "");
process.exit(errors.length === 0 ? 0 : 1);
