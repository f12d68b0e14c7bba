/** `node partner/serve.ts [port]`: the partner in a process of its own, to sync from by hand. Ctrl-C ends it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { readAccounts } from "./read-accounts.ts";
import { startPartner } from "./start-partner.ts";

const folder = join(import.meta.dirname, "..");
const dotenvPath = [".env", ".env.example"]
  .map((name) => join(folder, name))
  .find((path) => existsSync(path))!;
const environment = { ...parseEnv(readFileSync(dotenvPath, "utf8")), ...process.env };
const setting = (name: string): string => {
  const value = environment[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set; see ${dotenvPath}.`);
  return value;
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" } },
});
const historyMs = 14 * 86_400_000;
const partner = await startPartner({
  seed: Number(values.seed),
  vendorKey: setting("STASHSTOCK_VENDOR_KEY"),
  accounts: readAccounts(join(folder, "tenants.json"), (reference) =>
    setting(reference.replace(/^env:/, "")),
  ),
  port: Number(positionals[0] ?? new URL(setting("STASHSTOCK_URL")).port),
  historyMs,
  hasAdmin: true,
});
process.once("SIGINT", () => void partner.close());
process.once("SIGTERM", () => void partner.close());
console.log(`The partner listens at ${partner.url}. Turn its knobs, for example:`);
console.log(`  curl -d '{"count": 20, "tenant": "414"}' ${partner.url}/_partner/change`);
console.log(
  `  curl -d '{"kind": "status", "status": 429, "retryAfter": "2", "times": 3}' ${partner.url}/_partner/faults`,
);
console.log(`  curl ${partner.url}/_partner/counts`);
const since = new Date(partner.nowMs() - historyMs).toISOString().slice(0, 10);
console.log(`Its first plants are of ${since}. To sync from there: STASHSTOCK_SINCE=${since} npx leat sync`);
