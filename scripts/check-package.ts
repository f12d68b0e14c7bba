/**
 * `npm run test:package`: what a stranger gets. Packs the package twice (equal bytes), installs it in an empty folder,
 * and there imports and requires every subpath under each Node that leat supports, expecting nothing on stderr.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { packPackage } from "./pack.ts";
import { printCounts, root } from "./steps.ts";

/** Majors that are tried; the newest release of each that the npm package `node` has. */
const supportedMajors = [22, 24, 26];
/** The newest major that is too old. */
const tooOldMajor = 20;

const run = promisify(execFile);
const npmOptions = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

let passed = 0;
let failed = 0;
function tell(isGood: boolean, what: string, seen = ""): void {
  if (isGood) passed += 1;
  else failed += 1;
  console.log(`${isGood ? "ok" : "FAILED"}: ${what}${isGood || seen === "" ? "" : `\n${seen}`}`);
}

async function makeFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Installs one Node and returns the path of its binary. */
async function installNode(parent: string, major: number): Promise<string> {
  const folder = await makeFolder(parent, `node-${major}`);
  const manifest = { private: true, allowScripts: { node: true } };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await run("npm", ["install", ...npmOptions, "--ignore-scripts=false", `node@${major}`], { cwd: folder });
  return join(folder, "node_modules", "node", "bin", "node");
}

/** What a Node that is too old gets to read: one line, and nothing else. */
async function expectOneLineFromOldNode(leat: string, cwd: string): Promise<void> {
  const node = await installNode(folder, tooOldMajor);
  const child = spawnSync(node, [leat, "--version"], { cwd, encoding: "utf8" });
  const isGood = child.status !== 0 && child.stdout === "" && /^.*newer.*\n$/.test(child.stderr);
  tell(isGood, `Node ${tooOldMajor} is told in one line what is needed`, child.stdout + child.stderr);
}

/** Compiles a user's file against the package's own declarations. */
async function expectTypes(project: string): Promise<void> {
  const names = ["defineProject", "rest", "LeatError"];
  const text = `import { ${names.join(", ")} } from "leat";\nexport const all = [${names.join(", ")}];\n`;
  await writeFile(join(project, "user.mts"), `${text}import "leat/testing";\n`);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules", "@types")];
  const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--skipLibCheck"];
  const args = [tsc, ...flags, ...types, "user.mts"];
  expectOutput("the types of the package serve a user", [process.execPath, ...args], project, /^$/);
}

/** A stranger's first minutes: a project made, synced and queried in a folder that `npm init` has made. */
async function expectFirstMinutes(major: number, node: string, project: string): Promise<void> {
  const mine = join(folder, `first-minutes-${major}`);
  await cp(project, mine, { recursive: true });
  const leat = [node, join(mine, "node_modules", "leat", "bin", "leat.js")];
  expectOutput(`Node ${major} makes a project`, [...leat, "init"], mine, /leat\.config\.mts/);
  expectOutput(
    `Node ${major} syncs it`,
    [...leat, "sync", "--quiet"],
    mine,
    /\b5 records landed, 5 rows loaded/,
  );
  const query = ["query", "select count(*)::int as orders from shop.orders", "--json"];
  expectOutput(`Node ${major} queries it`, [...leat, ...query], mine, /"orders":\s*5\b/);
}

/** Runs a program and tells whether it ended well with the expected output and without a word on stderr. */
function expectOutput(what: string, command: readonly string[], cwd: string, stdout: RegExp): void {
  const [program = "", ...args] = command;
  const child = spawnSync(program, args, { cwd, encoding: "utf8", timeout: 120_000 });
  const isGood = child.status === 0 && stdout.test(child.stdout) && child.stderr === "";
  tell(isGood, what, `exit ${child.status}\n${child.stdout}${child.stderr}`);
}

/** Installs a tarball in an empty folder and tries everything there. */
async function tryPackage(tarball: string): Promise<void> {
  const project = await makeFolder(folder, "project");
  await run("npm", ["init", "-y"], { cwd: project });
  await run("npm", ["install", ...npmOptions, tarball], { cwd: project });
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    exports: Record<string, unknown>;
    version: string;
  };
  const names = Object.keys(manifest.exports).map((subpath) => subpath.replace(/^\./, "leat"));
  const leat = join(project, "node_modules", "leat", "bin", "leat.js");
  await expectOneLineFromOldNode(leat, project);
  await expectTypes(project);
  for (const major of supportedMajors) {
    const node = await installNode(folder, major);
    for (const name of names.filter((one) => !one.endsWith(".json"))) {
      const show = "console.log(Object.keys(m).length > 0 ? 'loaded' : 'empty')";
      const asImport = `import * as m from ${JSON.stringify(name)}; ${show}`;
      const asRequire = `const m = require(${JSON.stringify(name)}); ${show}`;
      const imported = [node, "--input-type=module", "-e", asImport];
      expectOutput(`Node ${major} imports ${name}`, imported, project, /^loaded/);
      expectOutput(`Node ${major} requires ${name}`, [node, "-e", asRequire], project, /^loaded/);
    }
    const version = new RegExp(`^${manifest.version.replaceAll(".", "\\.")}\\s*$`);
    expectOutput(`Node ${major} runs leat --version`, [node, leat, "--version"], project, version);
    await expectFirstMinutes(major, node, project);
  }
}

const hashOf = async (file: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(file))
    .digest("hex");

const folder = await mkdtemp(join(tmpdir(), "leat-package-"));
try {
  const tarball = await packPackage(await makeFolder(folder, "first"));
  const again = await packPackage(await makeFolder(folder, "second"));
  if (tarball === undefined || again === undefined) tell(false, "the package can be built and packed");
  else {
    tell((await hashOf(tarball)) === (await hashOf(again)), "two builds of the same sources are equal");
    await tryPackage(tarball);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(printCounts({ passed, failed, skipped: 0 }));
process.exitCode = failed === 0 ? 0 : 1;
