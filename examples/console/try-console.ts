/** `npm run console`: both examples with the console before them, and a sync in which one customer's request failed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { openExample } from "../stashstock/open-example.ts";

const folder = import.meta.dirname;
const root = join(folder, "../..");

/** Some hundred plants a customer: enough to look at, and landed in seconds. */
const book = { seed: 8, historyDays: 3, plantsPerLicense: 40 };

/** Runs that are looked at before the sync is taken as over, ms. */
const patienceMs = 120_000;

/** Runs a command of this repository to its end, showing what it says. */
async function runHere(args: readonly string[]): Promise<void> {
  const [code] = await once(spawn(process.execPath, args, { cwd: root, stdio: "inherit" }), "close");
  if (code !== 0) throw new Error(`node ${args.join(" ")} ended with ${code}`);
}

const options = {
  port: { type: "string", default: "0" },
  /** Where landing, warehouse and ledger are; what is in it is removed first. */
  data: { type: "string", default: join(folder, ".leat") },
} as const;

/** What was asked for; ends here, telling what may be asked for, where it was anything else. */
function readOptions(): Readonly<{ port: string; data: string }> {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error("npm run console -- [--port PORT] [--data FOLDER, which is emptied first]");
    process.exit(2);
  }
}

const values = readOptions();
if (!existsSync(join(root, "ui/dist/index.html"))) {
  console.log("The console is built once …");
  await runHere([join(root, "node_modules/vite/bin/vite.js"), "build", "ui", "--logLevel", "warn"]);
}
const example = await openExample({ ...book, dataFolder: values.data });
// The partner refuses one customer once. A run that is tried again fetches what is missing, and nothing else.
example.partner.faults.inject({ kind: "status", status: 403, tenant: "733", endpoint: "v1/vegetative" });

const up = spawn(
  process.execPath,
  [join(root, "bin/leat.js"), "up", "--port", values.port, "--serve-port", "0", "--json"],
  { cwd: folder, env: example.environment, stdio: ["ignore", "pipe", "inherit"] },
);
const ended = once(up, "close");
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => up.kill("SIGTERM"));

/** Asks the control API. */
async function ask(url: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}/api/${path}`, {
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    headers: { "content-type": "application/json" },
  });
  return (await answer.json()) as Record<string, unknown>; // Every answer is an object.
}

/** Runs a flow, and waits until it is over. */
async function runToEnd(url: string, deployment: string): Promise<void> {
  const { run } = (await ask(url, `deployments/${deployment}/runs`, { params: {} })) as {
    run: { id: string };
  };
  const endMs = Date.now() + patienceMs;
  for (let state = "queued"; !["succeeded", "failed"].includes(state) && Date.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    state = ((await ask(url, `runs/${run.id}`)) as { run: { state: string } }).run.state;
  }
}

let url: string | undefined;
for await (const line of createInterface(up.stdout)) {
  url ??= /"url":"([^"]+)"/.exec(line)?.[1];
  if (!line.includes('"slots"') || url === undefined) continue; // Its last line: workers are there.
  const console_ = url;
  console.log("The partner's customers are synced, and the publisher's workbooks built: some seconds …");
  await Promise.all([runToEnd(console_, "sync"), runToEnd(console_, "nightly")]);
  console.log(`\nThe console is at  ${console_}\n\nOne customer's sync has failed. Ctrl+C ends it all.`);
  break;
}
up.stdout.resume();
await ended;
await example.close();
