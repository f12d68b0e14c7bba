/**
 * Loaded into a process with `--import`: instruments leat's stages as they are loaded, counts what is passed, and kills
 * the process by SIGKILL at one place when told to.
 *
 * `LEAT_KILL=site|phase|n` kills at the n-th passing; `LEAT_SITES=path` writes down all passings at the end, and
 * `LEAT_DEATHS=path` those of them that differ for a world that hears of the process by HTTP alone. With
 * `NODE_COMPILE_CACHE` instrumented text is kept there as well: without, it takes longer than what is to be killed.
 */
import { createHash } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Phase } from "./instrument-awaits.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The stages that a record passes; the CLI around them holds nothing. */
const stages = /^src\/(dataset|extract|landing|load|share|sources|stores|sync|warehouses)\//;

/** Passings between which the process asked for no change, and heard of none: one death. */
export type Death = {
  /** The first of them: `nth` is how often it had been passed. */
  readonly site: string;
  readonly phase: Phase;
  readonly nth: number;
  /** Where what was heard last is that a job has begun: the how manieth. */
  readonly job: number | undefined;
  passings: number;
};

const [killSite, killPhase, killCount] = (process.env["LEAT_KILL"] ?? "").split("|");
const passed = new Map<string, number>();
const deaths: Death[] = [];
let isArmed = false;
/** Since the last passing. */
let hasNews = true;
let jobs = 0;
let job: number | undefined;

function pass(site: string, phase: Phase): void {
  if (!isArmed) return;
  const key = `${site}|${phase}`;
  const count = (passed.get(key) ?? 0) + 1;
  passed.set(key, count);
  if (hasNews) deaths.push({ site, phase, nth: count, job, passings: 0 });
  hasNews = false;
  deaths.at(-1)!.passings += 1;
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

/** Reads change nothing, but that of a job, which goes on by itself, tells how far it is. */
function note({ method, path }: Readonly<{ method: string; path: string }>, isAnswer: boolean): void {
  const isOfJobs = /\/(jobs|queries)(\/|\?|$)/.test(path);
  if (method === "GET" && !(isOfJobs && isAnswer)) return;
  hasNews = true;
  const isJobBegun = isOfJobs && isAnswer && method === "POST";
  if (isJobBegun) jobs += 1;
  job = isJobBegun ? jobs : undefined;
}

/** What the channels of both clients tell of a request; theirs have these fields. */
type Told = { request: { method: string; path: string } };
for (const channel of ["http.client.request.start", "undici:request:create"])
  subscribe(channel, (told) => note((told as Told).request, false));
for (const channel of ["http.client.response.finish", "undici:request:headers"])
  subscribe(channel, (told) => note((told as Told).request, true));

const sitesPath = process.env["LEAT_SITES"];
if (sitesPath !== undefined) {
  process.on("exit", () => writeFileSync(sitesPath, JSON.stringify([...passed])));
}

const deathsPath = process.env["LEAT_DEATHS"];
if (deathsPath !== undefined) {
  process.on("exit", () => writeFileSync(deathsPath, JSON.stringify(deaths)));
}
