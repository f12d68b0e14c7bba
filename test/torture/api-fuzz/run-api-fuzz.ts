/**
 * `npm run check:api [-- examples]`: schemathesis reads the OpenAPI document of a server that it is given, and sends
 * requests that fit the document and ones that do not. No answer may be a 5xx, or one that the document does not know.
 *
 * It is a Python program: it is installed into a virtual environment in the system's temporary folder, and named loudly
 * when it cannot be had. Slow: some thousand requests.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deathsCsv, startServe } from "../../browser/open-served-deaths.ts";

/** What was tried with; later ones may name their options otherwise. */
const version = "4.32.5";
/** Requests made up for each operation and phase. */
const examples = process.argv[2] ?? "60";
/** Longest run, ms. */
const timeoutMs = 20 * 60_000;
/** Checks that are run; what is left out asks for things that no document of ours promises. */
const checks =
  "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

const environment = join(tmpdir(), `leat-schemathesis-${version}`);
const tool = join(environment, "bin", "st");

function run(command: string, args: readonly string[], cwd: string = tmpdir()): number {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", timeout: timeoutMs, cwd });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  return status ?? 1;
}

if (!existsSync(tool)) {
  await rm(environment, { recursive: true, force: true });
  run("python3", ["-m", "venv", environment]);
  run(join(environment, "bin", "pip"), ["install", "--quiet", `schemathesis==${version}`]);
}
if (!existsSync(tool)) {
  console.error(
    "NO SCHEMATHESIS: it needs Python 3.10 or newer with venv, and the Python package index. Nothing was checked.",
  );
  process.exitCode = 1;
} else {
  await using served = await startServe({ name: "deaths.csv", text: deathsCsv(20) }, ["--no-access-log"]);
  const folder = await mkdtemp(join(tmpdir(), "leat-fuzz-"));
  const args = [
    "run",
    `${served.url}/openapi.json`,
    "--checks",
    checks,
    "--max-examples",
    examples,
    "--seed",
    "414",
  ];
  const status = run(tool, args, folder); // It leaves a folder of its own where it runs.
  const alive = await fetch(`${served.url}/live`).then(
    ({ ok }) => ok,
    () => false,
  );
  await rm(folder, { recursive: true, force: true });
  if (!alive) console.error("The server has not survived it.");
  console.log(status === 0 && alive ? "ok: the API answers as its document says" : "FAILED");
  process.exitCode = status === 0 && alive ? 0 : 1;
}
