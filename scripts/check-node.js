/**
 * Run before every npm script. Plain JavaScript, so that a Node too old for TypeScript can still say what is wrong:
 * the npm package `node` brings the pinned Node in an install script, and where install scripts are off every command
 * would silently run on the machine's own Node.
 */
import { readFileSync } from "node:fs";

const { devDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const pinned = devDependencies.node;
const isOlder = Number(process.versions.node.split(".")[0]) < Number(pinned.split(".")[0]);
if (isOlder) {
  console.error(
    `This repository runs under Node ${pinned}, but \`node\` is ${process.version}: the install script of the npm package \`node\` has not run. Run \`npm rebuild node --ignore-scripts=false\`, then try again.`,
  );
  process.exit(1);
}
