/** A project of two tenants and two streams beside its partner, and what must hold of it at any time. */
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { expect } from "vitest";
import { type Depot, openDepot, type StreamName, streams, tenants, type Version } from "./depot.ts";
import type { CommandHost, Told } from "./open-host.ts";

/** A stream and tenant, as `sync --json` tells of it. */
export type Result = Readonly<{
  stream: string;
  tenant_id: string;
  ok: boolean;
  status: string;
  counts?: Readonly<Record<string, number>>;
  load?: Readonly<{ loaded: number; rejected: number }>;
  error?: Failure;
}>;

export type Failure = Readonly<{
  code: string;
  message: string;
  hint: string;
  retryable: boolean;
  details: Readonly<Record<string, unknown>>;
}>;

export type Synced = Told & Readonly<{ results: readonly Result[] }>;

/** Where a stream stands for a tenant. */
export type Standing = Readonly<{ cursor: string | null; next: string | null; seq: number }>;

export type WorldOptions = Readonly<{
  /** Further options of the stream `orders`, as TypeScript. */
  orders?: string;
  /** Who owns the folder, where the host is another user. */
  uid?: number;
  environment?: Record<string, string>;
}>;

export interface ShopWorld extends AsyncDisposable {
  readonly path: string;
  readonly depot: Depot;
  environment: Record<string, string>;
  write(name: string, text: string): void;
  leat(...args: string[]): Promise<Told>;
  sync(...args: string[]): Promise<Synced>;
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** By `stream/tenant`. */
  standings(): Promise<ReadonlyMap<string, Standing>>;
  /** A change in every stream of every tenant: a new version of a record, and a new record. */
  change(): void;
  /** The newest versions are in the views, and every version exactly once behind them, but for what is left out. */
  expectTruth(isLeftOut?: (stream: StreamName, tenant: string) => boolean): Promise<void>;
  /** No key is in anything that was written: output, landing, manifests, warehouse. */
  expectNoSecret(): void;
  readonly host: CommandHost;
  /** Files under the landing whose key holds `part`, in order. */
  landed(part: string): readonly string[];
}

/** @param hosts - runs the commands; a function makes one for the folder. */
export async function openWorld(
  hosts: CommandHost | ((path: string) => CommandHost),
  options: WorldOptions = {},
): Promise<ShopWorld> {
  const path = mkdtempSync(join(tmpdir(), "leat-e2e-"));
  const host = typeof hosts === "function" ? hosts(path) : hosts;
  const depot = await openDepot();
  const outputs: string[] = [];
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  write("leat.config.ts", configOf(depot.url, options.orders ?? ""));
  write("tenants.json", JSON.stringify(tenants.map((id) => ({ id, account: id, key: `env:KEY_${id}` }))));
  write(".env", tenants.map((id) => `KEY_${id}='${depot.keyOf(id)}'\n`).join(""));
  if (options.uid !== undefined) chownSync(path, options.uid, options.uid);

  const leat = async (...args: string[]): Promise<Told> => {
    const told = await host.run(args, path, world.environment);
    outputs.push(told.stdout, told.stderr);
    return told;
  };
  const query = async (sql: string): Promise<readonly Record<string, unknown>[]> => {
    const told = await leat("query", sql, "--json");
    expect(told, sql).toMatchObject({ code: 0 });
    return JSON.parse(told.stdout);
  };
  const world: ShopWorld = {
    path,
    host,
    depot,
    environment: { ...options.environment },
    write,
    leat,
    query,
    async sync(...args) {
      const told = await leat("sync", "--json", "--quiet", ...args);
      return { ...told, results: JSON.parse(told.stdout).results ?? [] };
    },
    async standings() {
      const told = await leat("state", "show", "--json");
      expect(told).toMatchObject({ code: 0 });
      const listed: (Standing & { stream: string; tenant_id: string })[] = JSON.parse(told.stdout);
      return new Map(
        listed.map(({ stream, tenant_id, cursor, next, seq }) => [
          `${stream}/${tenant_id}`,
          { cursor, next, seq },
        ]),
      );
    },
    change() {
      for (const tenant of tenants) {
        for (const stream of streams) {
          const newest = Math.max(
            ...depot
              .versions(stream)
              .filter((one) => one.tenant === tenant)
              .map((one) => one.id),
          );
          depot.put(tenant, stream, 2);
          depot.put(tenant, stream, newest + 1);
        }
      }
    },
    async expectTruth(isLeftOut = () => false) {
      for (const stream of streams) {
        const isWanted = (tenant: string) => !isLeftOut(stream, tenant);
        const rowsOf = async (view: string) =>
          (await query(`select tenant_id as tenant, id, rev, note from shop.${view}`))
            .map((row) => ({ ...row, id: Number(row["id"]), rev: Number(row["rev"]) }) as Version) // As selected.
            .filter((row) => isWanted(row.tenant));
        const versions = depot.versions(stream).filter((one) => isWanted(one.tenant));
        const newest = new Map(versions.map((one) => [`${one.tenant}/${one.id}`, one]));
        expect(
          (await rowsOf(`${stream}_history`)).toSorted(byVersion),
          `every version of ${stream}, once`,
        ).toEqual(versions.toSorted(byVersion));
        expect((await rowsOf(stream)).toSorted(byVersion), `the newest of ${stream}`).toEqual(
          [...newest.values()].toSorted(byVersion),
        );
      }
    },
    expectNoSecret() {
      const forms = depot.keys().flatMap(formsOf);
      const find = (text: string, where: string): void => {
        for (const form of forms) expect(text.includes(form) ? `${form} is in ${where}` : "").toBe("");
      };
      for (const output of outputs) find(output, "an output");
      for (const file of filesOf(path)) {
        if (file.endsWith(".env")) continue;
        find(readAsText(file), file);
      }
    },
    landed: (part) =>
      filesOf(join(path, ".leat/landing"))
        .filter((file) => file.includes(part))
        .toSorted(),
    async [Symbol.asyncDispose]() {
      await depot[Symbol.asyncDispose]();
      if (typeof hosts === "function") await host.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
  return world;
}

function byVersion(a: Version, b: Version): number {
  return a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : a.id - b.id || a.rev - b.rev;
}

function configOf(url: string, orders: string): string {
  return `
import { defineProject, rest } from "leat";
const stream = (path: string) => ({
  path: \`/{tenant.account}/\${path}\`,
  records: "data",
  primaryKey: "id",
  cursor: {
    field: "updated_at",
    initial: "2026-01-01",
    lag: "0s",
    start: { param: "since", inclusive: true, format: "iso-ms" },
  },
  pagination: { type: "cursorToken", path: "next", param: "token" },
  failedWhen: { path: "ok", equals: false, messagePath: "message" },
} as const);
export default defineProject({
  name: "shop",
  sources: [
    rest({
      name: "shop",
      baseUrl: ${JSON.stringify(url)},
      auth: { type: "bearer", token: "{tenant.key}" },
      retry: { tries: 2 },
      streams: { orders: { ...stream("orders"), ${orders} }, items: stream("items") },
    }),
  ],
});
`;
}

/** How a key may be written down. */
function formsOf(key: string): readonly string[] {
  return [
    key,
    JSON.stringify(key).slice(1, -1),
    encodeURIComponent(key),
    Buffer.from(key).toString("base64"),
    Buffer.from(`Bearer ${key}`).toString("base64"),
  ];
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
}

const frameMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** A file as it is, and what its Zstandard frames hold. */
function readAsText(file: string): string {
  const bytes = readFileSync(file);
  const texts = [bytes.toString("latin1")];
  for (let at = bytes.indexOf(frameMagic); at >= 0; at = bytes.indexOf(frameMagic, at + 1)) {
    try {
      texts.push(zstdDecompressSync(bytes.subarray(at)).toString("latin1")); // Reads one frame.
    } catch {
      // Damaged on purpose, or no frame after all.
    }
  }
  return texts.join("\n");
}
