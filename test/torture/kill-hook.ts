/**
 * Loaded into a process with `--import`: instruments leat's stages as they are loaded, counts what is passed, and kills
 * the process by SIGKILL at one place when told to.
 *
 * `LEAT_KILL=site|phase|n` kills at the n-th passing; `LEAT_SITES=path` writes down all passings at the end.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { instrumentAwaits, type Phase } from "./instrument-awaits.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The stages that a record passes; the CLI around them holds nothing. */
const stages = /^src\/(dataset|extract|landing|load|share|sources|stores|sync|warehouses)\//;

const [killSite, killPhase, killCount] = (process.env["LEAT_KILL"] ?? "").split("|");
const passed = new Map<string, number>();
let isArmed = false;

function pass(site: string, phase: Phase): void {
  if (!isArmed) return;
  const key = `${site}|${phase}`;
  const count = (passed.get(key) ?? 0) + 1;
  passed.set(key, count);
  if (site === killSite && phase === killPhase && count === Number(killCount)) {
    process.kill(process.pid, "SIGKILL");
    // The signal is delivered when the system pleases; nothing may happen until then.
    for (;;);
  }
}

Object.assign(globalThis, {
  __leatSite: pass,
  __leatPass: (site: string, phase: Phase, value: unknown) => {
    pass(site, phase);
    return value;
  },
  /** The workload arms the hook when its world stands. */
  __leatArm: () => {
    isArmed = true;
  },
});

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith("file:")) return nextLoad(url, context);
    const path = fileURLToPath(url);
    const file = path.startsWith(root) ? path.slice(root.length) : "";
    if (!stages.test(file) || file.endsWith(".test.ts")) return nextLoad(url, context);
    return {
      format: "module",
      source: instrumentAwaits(readFileSync(path, "utf8"), file),
      shortCircuit: true,
    };
  },
});

const sitesPath = process.env["LEAT_SITES"];
if (sitesPath !== undefined) {
  process.on("exit", () => writeFileSync(sitesPath, JSON.stringify([...passed])));
}
