/** `npm run install:chromium`: the browser that tests of pages run in, from Debian's packages where it is not there yet. */
import { existsSync } from "node:fs";
import { runCommand } from "./steps.ts";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const named = process.env["LEAT_CHROMIUM"];
const isThere = (): boolean =>
  [...(named === undefined ? [] : [named]), ...places].some((path) => existsSync(path));

if (!isThere()) {
  await runCommand("apt-get", ["update", "-qq"]);
  await runCommand("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"]);
}
if (!isThere()) {
  console.error(
    "NO CHROMIUM: tests of pages will fail. Install one (Debian: apt-get install chromium), or name it in LEAT_CHROMIUM.",
  );
  process.exitCode = 1;
}
