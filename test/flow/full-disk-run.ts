/**
 * `node full-disk-run.ts FOLDER WORK`, where FOLDER is on a small disk: a run of `leat run` whose results fill its ledger
 * there; makes room, retries it, and says how both ended and how often tasks were called.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [folder = "", work = ""] = process.argv.slice(2);
const bin = fileURLToPath(new URL("../../bin/leat.js", import.meta.url));
const items = 150;

const ballast = join(folder, "ballast");
writeFileSync(ballast, Buffer.alloc(9 * 1024 * 1024, 1));
const calls = join(work, "calls.log");
writeFileSync(
  join(work, "leat.config.ts"),
  `
import { appendFileSync } from "node:fs";
import { defineProject, flow, task } from "leat";
const make = task("make", {}, async (_ctx, n: number) => {
  appendFileSync(${JSON.stringify(calls)}, n + "\\n");
  return "x".repeat(15_000);
});
const fill = flow("fill", {}, async (ctx) => {
  const made = await ctx.map(Array.from({ length: ${items} }, (_, n) => n), (n) => make(ctx, n), { concurrency: 1 });
  return made.length;
});
export default defineProject({ name: "full", flows: [fill] });
`,
);

const leat = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: work,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: work, LEAT_LEDGER: `sqlite:${join(folder, "ledger.db")}` },
  });
  return { code: status, stdout, stderr };
};

const first = leat("run", "fill");
rmSync(ballast);
const id = /run ([0-9a-f]{16}) of/.exec(first.stderr)?.[1] ?? "";
const second = leat("retry", id);
const called = readFileSync(calls, "utf8").trim().split("\n").length;
console.log(JSON.stringify({ first, second, calls: called, items }));
