/**
 * Loaded into a process with `--import`: instruments leat's stages as they are loaded, counts what is passed, and kills
 * the process by SIGKILL at one place when told to.
 *
 * `LEAT_KILL=site|phase|n` kills at the n-th passing; `LEAT_SITES=path` writes down all passings at the end. With
 * `NODE_COMPILE_CACHE` instrumented text is kept there as well: without, it takes longer than what is to be killed.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Phase } from "./instrument-awaits.ts";

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

const require = createRequire(import.meta.url);
const keptIn = process.env["NODE_COMPILE_CACHE"];

/** Instrumented text, the kept one where there is one; the parser is loaded only when it is needed. */
function instrumented(path: string, file: string): string {
  const text = readFileSync(path, "utf8");
  const instrument = () =>
    (require("./instrument-awaits.ts") as typeof import("./instrument-awaits.ts")).instrumentAwaits(
      text,
      file,
    );
  if (keptIn === undefined) return instrument();
  const name = createHash("sha256").update(`${file}\0${text}`).digest("hex");
  const kept = join(keptIn, `awaits-${name}.js`);
  try {
    return readFileSync(kept, "utf8");
  } catch {
    const code = instrument();
    mkdirSync(keptIn, { recursive: true });
    // Processes at once: each writes its own, and the last to move it wins with the same text.
    writeFileSync(`${kept}.${process.pid}`, code);
    renameSync(`${kept}.${process.pid}`, kept);
    return code;
  }
}

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith("file:")) return nextLoad(url, context);
    const path = fileURLToPath(url);
    const file = path.startsWith(root) ? path.slice(root.length) : "";
    if (!stages.test(file) || file.endsWith(".test.ts")) return nextLoad(url, context);
    return {
      format: "module",
      source: instrumented(path, file),
      shortCircuit: true,
    };
  },
});

const sitesPath = process.env["LEAT_SITES"];
if (sitesPath !== undefined) {
  process.on("exit", () => writeFileSync(sitesPath, JSON.stringify([...passed])));
}
