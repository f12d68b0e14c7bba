/**
 * One sync of the shop as a process: `node sync-process.ts FOLDER URL [STREAMS [GOOGLE]]`: names of streams with commas
 * between, all when there is none; a `GoogleShop` as JSON. Exit code 0 when every item went well.
 */
import { itemError } from "../../src/sync/sync-job.ts";
import type { GoogleShop } from "./open-google-shop.ts";
import { syncShop } from "./sync-shop.ts";

const [folder = "", url = "", names = "", place] = process.argv.slice(2);
const google = place === undefined ? undefined : (JSON.parse(place) as GoogleShop); // As google-matrix.ts writes it.
const hook = globalThis as { __leatArm?: () => void }; // Set by kill-hook.ts when that is loaded.
hook.__leatArm?.();
const { items } = await syncShop(folder, url, { ...(names !== "" && { streams: names.split(",") }), google });
const errors = items.map(itemError).filter((error) => error !== undefined);
for (const error of errors) console.error(`${error.code}: ${error.message}`, error.cause ?? "");
process.exit(errors.length === 0 ? 0 : 1);
