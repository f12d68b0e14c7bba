/** `leat keys`: API keys of a served project, made, listed and revoked. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { readRate, readWhole } from "./serve-limits.ts";
import { printable } from "./terminal.ts";

type CreateOptions = GlobalOptions & Readonly<{ expires?: string; rate?: string; requestsPerDay?: string }>;

/** Longest name of a key, characters. */
const nameLengthMax = 200;
/** Longest life of a key that is said in days. */
const daysMax = 3650;
const dayMs = 24 * 3600 * 1000;

export function addKeys(program: Command, invocation: Invocation): void {
  const keys = program
    .command("keys")
    .summary("Make, list and revoke keys of the data API.")
    .description(
      "Keys of the data API, for `leat serve --keys optional` or `required`. The landing keeps a hash of each; the key itself is printed once, when it is made. Running servers take changes within 10 seconds.",
    );
  const create = keys
    .command("create")
    .summary("Make a key, and print it.")
    .description(
      "Makes a key and prints it, this once: what is kept of it is a hash, out of which it cannot be had again.",
    )
    .argument("<name>", "Whose it is, or for what.")
    .option("--expires <when>", "Days from now, such as 90d, or an instant, such as 2027-01-01T00:00:00Z.")
    .option("--rate <rate>", "Requests a second, such as 20 or 20:100 (100 at once). Default: the server's.")
    .option("--requests-per-day <n>", "Quota of a day (UTC). Default: none.")
    .action(async (name: string) => {
      invocation.finish(await createOne(invocation, name, create.optsWithGlobals<CreateOptions>()));
    });
  const list = keys
    .command("list")
    .summary("List all keys, without their secrets.")
    .description(
      "Lists all keys, also those that are revoked or have expired, with what each of them may do.",
    )
    .action(async () => {
      invocation.finish(await listAll(invocation, list.optsWithGlobals<GlobalOptions>()));
    });
  const revoke = keys
    .command("revoke")
    .summary("Revoke a key for good.")
    .description("Revokes a key for good. Servers that run refuse it within 10 seconds.")
    .argument("<id>", "Its id, as `leat keys list` tells it.")
    .action(async (id: string) => {
      invocation.finish(await revokeOne(invocation, id, revoke.optsWithGlobals<GlobalOptions>()));
    });
}

async function openKeys(invocation: Invocation, options: GlobalOptions) {
  const [{ openProject }, keys] = await Promise.all([
    import("./open-project.ts"),
    import("../server/data/api-keys.ts"),
  ]);
  const { store } = await openProject(invocation, options);
  return { store, ...keys };
}

async function createOne(invocation: Invocation, name: string, options: CreateOptions): Promise<ExitCode> {
  const { terminal } = invocation;
  if (name.trim() === "" || name.length > nameLengthMax)
    throw new LeatError("USAGE", { message: `The name of a key has 1 to ${nameLengthMax} characters.` });
  const nowMs = Date.now();
  const terms = {
    name,
    expiresAt: options.expires === undefined ? null : readExpiry(options.expires, nowMs),
    rate: options.rate === undefined ? null : (readRate("--rate", options.rate) ?? null),
    requestsPerDay:
      options.requestsPerDay === undefined
        ? null
        : readWhole("--requests-per-day", options.requestsPerDay, 1, 1_000_000_000),
  };
  const { store, createKey } = await openKeys(invocation, options);
  const { key, text } = await createKey(store, terms, nowMs);
  if (options.json)
    terminal.out(`${JSON.stringify({ id: key.id, name, key: text, expires_at: key.expiresAt })}\n`);
  else {
    terminal.out(`${text}\n`);
    terminal.err(
      printable(`The key ${key.id} for ${name}. It is shown this once: keep it where secrets are kept.\n`),
    );
  }
  return 0;
}

function readExpiry(text: string, nowMs: number): string {
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  if (days !== undefined && Number(days) >= 1 && Number(days) <= daysMax)
    return new Date(nowMs + Number(days) * dayMs).toISOString();
  const isInstant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const atMs = isInstant ? Date.parse(text) : Number.NaN;
  if (atMs > nowMs) return new Date(atMs).toISOString();
  throw new LeatError("USAGE", {
    message: `--expires "${text}" must be days such as 90d (1 to ${daysMax}), or an instant that is still to come, such as 2027-01-01T00:00:00Z.`,
  });
}

async function listAll(invocation: Invocation, options: GlobalOptions): Promise<ExitCode> {
  const { store, listKeys } = await openKeys(invocation, options);
  const known = [...(await listKeys(store)).values()];
  const nowMs = Date.now();
  const told = known.map(({ key: { id, name, createdAt, expiresAt, rate, requestsPerDay }, revokedAt }) => ({
    id,
    name,
    created_at: createdAt,
    expires_at: expiresAt,
    revoked_at: revokedAt ?? null,
    rate: rate === null ? null : { per_second: rate.perSecond, burst: rate.burst },
    requests_per_day: requestsPerDay,
    is_valid: revokedAt === undefined && (expiresAt === null || Date.parse(expiresAt) > nowMs),
  }));
  const { terminal } = invocation;
  if (options.json) terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  else if (told.length === 0) terminal.out("There are no keys; `leat keys create <name>` makes one.\n");
  else {
    const { printTable } = await import("./print-table.ts");
    const rows = told.map((key) => [
      key.id,
      key.name,
      key.is_valid ? "valid" : key.revoked_at === null ? "expired" : "revoked",
      key.created_at,
      key.expires_at ?? "",
      key.rate === null ? "" : `${key.rate.per_second}:${key.rate.burst}`,
      key.requests_per_day === null ? "" : String(key.requests_per_day),
    ]);
    terminal.out(printTable(["id", "name", "state", "created", "expires", "rate", "per day"], rows));
  }
  return 0;
}

async function revokeOne(invocation: Invocation, id: string, options: GlobalOptions): Promise<ExitCode> {
  const { store, revokeKey } = await openKeys(invocation, options);
  const isNew = await revokeKey(store, id, Date.now());
  const { terminal } = invocation;
  if (options.json) terminal.out(`${JSON.stringify({ id, revoked_now: isNew })}\n`);
  else terminal.out(isNew ? `The key ${id} is revoked.\n` : `The key ${id} was revoked before.\n`);
  return 0;
}
