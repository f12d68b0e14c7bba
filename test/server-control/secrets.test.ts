/** Secrets set in the console, and connections that use them. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system-world.ts";
import { openDotenvSecrets } from "../../src/config/dotenv-secrets.ts";
import { openGoogleSecrets } from "../../src/config/google-secrets.ts";
import { openSecrets } from "../../src/config/secrets.ts";
import { defineShare } from "../../src/define/define-share.ts";
import { flow } from "../../src/flow/flow.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import { startFake } from "../fakes/fake-server.ts";
import { token, withApi } from "./open-api.ts";
import { type ShopStand, withShop } from "./shop-stand.ts";

const headers = { authorization: `Bearer ${token}`, "x-leat-user": "ann" };
const get = async ({ app, checked }: ShopStand, url: string) =>
  checked("GET", url, await app.inject({ url, headers }));
const put = async ({ app, checked }: ShopStand, name: string, value: string) => {
  const url = `/api/secrets/${name}`;
  return checked("PUT", url, await app.inject({ method: "PUT", url, headers, payload: { value } }));
};

type Kept = Readonly<{ path: string; environment: Record<string, string | undefined> }>;

/** The API over a `.env` of its own, and a partner who wants a key. */
async function withSecrets(call: (stand: ShopStand, kept: Kept) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "leat-secrets-"));
  const path = join(folder, ".env");
  const environment: Kept["environment"] = { FIXED: "by the environment" };
  const google = openGoogleSecrets({ clock: systemClock, url: undefined });
  const secrets = openSecrets(environment, { folder, dotenvPath: path }, google);
  await using partner = await startFake(({ headers: sent }) =>
    sent.authorization === "Bearer the right key"
      ? { status: 200, body: [] }
      : { status: 401, body: { error: "who are you" } },
  );
  const source = rest({
    name: "partner",
    baseUrl: partner.url,
    auth: { type: "bearer", token: "env:PARTNER_KEY" },
    streams: { things: { path: "/things", primaryKey: "id", pagination: { type: "single" } } },
  });
  const notified = flow("notified", { notify: [{ to: "slack", url: "env:SLACK_URL" }] }, async () => {});
  try {
    await withShop((stand) => call(stand, { path, environment }), {
      token,
      secrets,
      secretWriter: openDotenvSecrets(environment, path),
      sources: [source],
      flows: [notified],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a secret goes in, is used, and is in no answer, event or page", async () => {
  await withSecrets(async (stand, { path, environment }) => {
    const value = "the right key";
    const before = (await get(stand, "/api/secrets")).json();
    expect(before.secrets).toMatchObject([
      {
        reference: "env:PARTNER_KEY",
        used_by: ["source partner"],
        is_set: false,
        is_writable: true,
        set_at: null,
      },
      { reference: "env:SLACK_URL", used_by: ["notices of notified"] },
    ]);
    expect((await put(stand, "PARTNER_KEY", value)).json()).toEqual({
      reference: "env:PARTNER_KEY",
      outcome: "created",
    });
    expect((await put(stand, "PARTNER_KEY", value)).json().outcome).toBe("replaced");
    const after = await get(stand, "/api/secrets");
    expect(after.json().secrets[0]).toMatchObject({
      is_set: true,
      set_by: "ann",
      set_at: expect.any(String),
    });
    const events = JSON.stringify(await stand.ledger.listEvents({ limit: 1000 }));
    for (const text of [after.body, events]) expect(text).not.toContain(value);
    expect([parseEnv(readFileSync(path, "utf8"))["PARTNER_KEY"], environment["PARTNER_KEY"]]).toEqual([
      value,
      value,
    ]);
    expect(statSync(path).mode & 0o077).toBe(0);
  });
});

test("secrets that only tenants and shares name are told with who uses them", async () => {
  const source = rest({
    name: "partner",
    baseUrl: "http://localhost",
    streams: { things: { path: "/things", primaryKey: "id", pagination: { type: "single" } } },
  });
  const share = defineShare({
    name: "copies",
    streams: [{ stream: "partner.things", columns: { id: true, name: { mask: true } } }],
    tenants: ["north"],
    to: ({ id }) => (id === "north" ? "env:NORTH_DATABASE" : "env:SOUTH_DATABASE"),
    salt: "env:SALT_OF_COPIES",
  });
  await withApi(
    async (stand) => {
      const answer = await stand.app.inject({ url: "/api/secrets", headers });
      expect(
        answer
          .json()
          .secrets.map((one: { reference: string; used_by: string[] }) => [one.reference, one.used_by]),
      ).toEqual([
        ["env:NORTH_DATABASE", ["share copies, tenant north"]],
        ["env:PARTNER_KEY", ["tenant north", "tenant south"]],
        ["env:SALT_OF_COPIES", ["share copies"]],
      ]);
    },
    {
      token,
      sources: [source],
      shares: [share],
      tenants: ["north", "south"],
      tenantFields: { keys: ["env:PARTNER_KEY"] },
    },
  );
});

test("a connection is tried with the secret that was set, and says clearly what is wrong", async () => {
  await withSecrets(async (stand) => {
    const tried = async (id: string) => {
      const url = `/api/connections/${encodeURIComponent(id)}/test`;
      return stand.checked("POST", url, await stand.app.inject({ method: "POST", url, headers })).json();
    };
    expect(await tried("source:partner")).toMatchObject({
      is_ok: false,
      problem: { code: "SECRET_MISSING" },
    });
    await put(stand, "PARTNER_KEY", "a wrong key");
    const wrong = await tried("source:partner");
    expect(wrong).toMatchObject({ is_ok: false, problem: { code: "SOURCE_AUTH_FAILED" } });
    expect(JSON.stringify(wrong)).not.toContain("a wrong key");
    await put(stand, "PARTNER_KEY", "the right key");
    expect(await tried("source:partner")).toMatchObject({
      is_ok: true,
      found: expect.stringContaining("/things"),
    });
    for (const id of ["landing", "warehouse", "ledger"])
      expect(await tried(id), id).toMatchObject({ is_ok: true });
    expect(
      (await get(stand, "/api/connections")).json().connections.map(({ id }: { id: string }) => id),
    ).toEqual(["landing", "warehouse", "ledger", "source:partner"]);
    const url = "/api/connections/sorce:partner/test";
    const unknown = await stand.app.inject({ method: "POST", url, headers });
    expect([unknown.statusCode, unknown.json().hint]).toEqual([
      400,
      expect.stringContaining("source:partner"),
    ]);
    expect((await get(stand, "/api/settings")).json()).toMatchObject({
      keep_days: 90,
      sign_in: { is_open: false, token: true },
    });
  });
});

test("what cannot be a secret here is refused, and nothing of it is kept", async () => {
  await withSecrets(async (stand, { path }) => {
    writeFileSync(path, "# of a person\nOTHER='kept'\n");
    const code = async (name: string, value: string) => {
      const answer = await put(stand, encodeURIComponent(name), value);
      expect(answer.body).not.toContain("the-value");
      return [answer.statusCode, answer.json().code];
    };
    expect(await code("FIXED", "the-value")).toEqual([409, "SECRET_FIXED"]);
    expect(await code("NODE_OPTIONS", "--the-value")).toEqual([400, "USAGE"]);
    expect(await code("LEAT_TOKEN", "the-value")).toEqual([400, "USAGE"]);
    expect(await code("A B", "the-value")).toEqual([400, "USAGE"]);
    expect(await code("ŁÓDŹ", "the-value")).toEqual([400, "USAGE"]);
    expect(await code("EVERY_QUOTE", "the-value'\"`")).toEqual([400, "USAGE"]);
    expect(await code("EMPTY", "")).toEqual([400, "USAGE"]);
    expect(readFileSync(path, "utf8")).toBe("# of a person\nOTHER='kept'\n");
  });
});

test("values of every kind are read back as they were given, beside what else is in the file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "leat-dotenv-"));
  try {
    const path = join(folder, ".env");
    writeFileSync(path, "# a comment\nONE='1'\nKEY=\"old\nover lines\"\nTWO=2");
    const writer = openDotenvSecrets({}, path);
    const values = [
      "plain",
      "with space",
      "#hash",
      "a=b",
      "it's",
      'say "x"',
      "$HOME",
      "back\\slash\\n",
      "new\nline",
      "ü€",
      " edge ",
    ];
    for (const value of values) {
      await writer.write("KEY", value);
      expect(parseEnv(readFileSync(path, "utf8")), value).toEqual({ ONE: "1", TWO: "2", KEY: value });
    }
    expect(readFileSync(path, "utf8")).toMatch(/^# a comment\n/);
    await Promise.all(Array.from({ length: 20 }, (_, n) => writer.write(`KEY_${n}`, `value ${n}`)));
    expect(Object.keys(parseEnv(readFileSync(path, "utf8")))).toHaveLength(23);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
