/** The delivery that the matrix of kills breaks: `share-child.ts FOLDER ADDRESS KEEP MODE`. */
import { recordMoments } from "./record-moments.ts";
import { deliverFrom } from "./share-delivery.ts";

const [folder = "", address = "", keep, mode] = process.argv.slice(2);
const hook = globalThis as { __leatArm?: () => void }; // Set by kill-hook.ts, which is loaded before.
const momentsPath = process.env["LEAT_MOMENTS"];
if (momentsPath === undefined) hook.__leatArm?.();
else recordMoments(momentsPath);
await deliverFrom(
  folder,
  address,
  keep === "current" || keep === "dataset" ? keep : "history",
  mode === "full" ? "full" : "deliver",
);
