/** The delivery that the matrix of kills breaks: `share-child.ts FOLDER ADDRESS KEEP MODE`. */
import { deliverFrom } from "./share-matrix.ts";

const [folder = "", address = "", keep, mode] = process.argv.slice(2);
const hook = globalThis as { __leatArm?: () => void }; // Set by kill-hook.ts, which is loaded before.
hook.__leatArm?.();
await deliverFrom(
  folder,
  address,
  keep === "current" || keep === "dataset" ? keep : "history",
  mode === "full" ? "full" : "deliver",
);
