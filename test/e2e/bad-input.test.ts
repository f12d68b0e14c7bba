/** What a partner, a tenants file and a credential can do wrong: told with place and remedy, nothing lost, others served. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerJson } from "../sources/partner-server.ts";
import type { Misbehaviour } from "./depot.ts";
import { expectLine, expectMended, expectOneFails, type Trouble } from "./expect-one-fails.ts";
import { type CommandHost, openHost } from "./open-host.ts";
import { openWorld, type ShopWorld } from "./shop-world.ts";

let host: CommandHost;
let world: ShopWorld;
beforeAll(() => {
  host = openHost();
});
afterAll(() => host.close());
beforeEach(async () => {
  world = await openWorld(host);
});
afterEach(() => world[Symbol.asyncDispose]());

/** Only towards the afflicted tenant and stream; undone by {@link behave}. */
const misbehave =
  (how: Misbehaviour) =>
  ({ depot }: ShopWorld): void => {
    depot.misbehave = (asked, response) =>
      asked.tenant === "414" && asked.stream === "orders" && how(asked, response);
  };
const behave = ({ depot }: ShopWorld): void => {
  depot.misbehave = undefined;
};
const answering = (
  how: (...args: Parameters<Misbehaviour>) => unknown,
): Pick<Trouble, "damage" | "mend"> => ({
  damage: misbehave((asked, response) => {
    how(asked, response);
    return true;
  }),
  mend: behave,
});

/** Some 9 MiB of good records, more than is held whole. */
const manyRecords = (): string =>
  Array.from(
    { length: 90_000 },
    (_, id) =>
      `{"id":${1_000_000 + id},"rev":1,"note":"${"x".repeat(60)}","updated_at":"2026-04-01T00:00:00Z"}`,
  ).join(",");

const writeEnv = (world: ShopWorld, key: string): void =>
  world.write(".env", `KEY_414='${key}'\nKEY_41='${world.depot.keyOf("41")}'\n`);

describe("a credential", () => {
  test("that is refused stops its tenant's stream at once, and is not repeated by any message", async () => {
    const before = () => world.depot.requests().filter((request) => request.path === "/414/orders").length;
    let asked = 0;
    await expectOneFails(world, {
      code: "SOURCE_AUTH_FAILED",
      says: /answered 403: the credential was refused.*you are locked out/,
      hint: /Renew this tenant's credential/,
      damage: (world) => {
        asked = before();
        misbehave((asked, response) => {
          const said = `you are locked out, ${asked.request.headers.authorization}`;
          answerJson(response, { error: said }, { status: 403 });
          return true;
        })(world);
      },
      mend: (world) => {
        expect(before() - asked).toBe(1);
        behave(world);
      },
    });
  });

  test("that has expired fails all streams of its tenant, and the new one in .env is all it takes", async () => {
    expect((await world.sync()).code).toBe(0);
    world.change();
    const before = await world.standings();
    const key = world.depot.renewKey("414");
    const told = await world.sync();
    expect(told.code).toBe(1);
    for (const { tenant_id, ok, error } of told.results) {
      expect([tenant_id, ok, error?.code]).toEqual(
        tenant_id === "414" ? ["414", false, "SOURCE_AUTH_FAILED"] : ["41", true, undefined],
      );
    }
    expectLine(told.stderr, "SOURCE_AUTH_FAILED", /Renew this tenant's credential; its cursor has not moved/);
    const after = await world.standings();
    for (const place of ["orders/414", "items/414"]) expect(after.get(place)).toEqual(before.get(place));
    await world.expectTruth((_stream, tenant) => tenant === "414");
    writeEnv(world, key);
    await expectMended(world);
  });

  test("that is missing is told with every place looked at, and nothing is fetched with it", async () => {
    expect((await world.sync()).code).toBe(0);
    world.change();
    const before = await world.standings();
    const env = readFileSync(join(world.path, ".env"), "utf8");
    world.write(".env", env.replace(/^KEY_414=.*\n/m, ""));
    const asked = world.depot.requests().filter((request) => request.path.startsWith("/414/")).length;
    const told = await world.sync();
    expect(told.code).toBe(1);
    expect(told.results.map((one) => one.error?.code)).toEqual([
      "SECRET_MISSING",
      undefined,
      "SECRET_MISSING",
      undefined,
    ]);
    expectLine(told.stderr, "SECRET_MISSING", /environment variable KEY_414, then .*\.env/);
    const checked = await world.leat("check");
    expect(checked.code).not.toBe(0);
    expectLine(checked.stderr, "SECRET_MISSING", /environment variable KEY_414, then .*\.env/);
    expect(world.depot.requests().filter((request) => request.path.startsWith("/414/")).length).toBe(asked);
    expect((await world.standings()).get("orders/414")).toEqual(before.get("orders/414"));
    await world.expectTruth((_stream, tenant) => tenant === "414");
    world.write(".env", env);
    await expectMended(world);
  });

  test("that cannot be sent in a header is told as such", async () => {
    const broken = `${world.depot.keyOf("414")}é—\n`;
    world.environment = { KEY_414: broken };
    const told = await world.sync();
    expect(told.code).toBe(1);
    expect(told.results[0]).toMatchObject({
      ok: false,
      error: { code: expect.stringMatching(/SECRET|AUTH|CONFIG/) },
    });
    expect(told.results[1]).toMatchObject({ ok: true });
    expectLine(told.stderr, "SOURCE_AUTH_FAILED", /line break or a foreign letter/);
    expect(world.depot.requests().filter((request) => request.path.startsWith("/414/"))).toEqual([]);
    world.expectNoSecret();
    world.environment = {};
    await expectMended(world);
  });
});

const troubles: Readonly<Record<string, Trouble>> = {
  "an answer that has moved elsewhere, whither no credential is sent": {
    code: "SOURCE_MOVED",
    says: /GET .*\/414\/orders\?.* answered 301: redirected to https:\/\/new\.example/,
    hint: /Correct the base URL or path of the stream/,
    ...answering((_asked, response) => {
      response.writeHead(301, { location: "https://new.example/v2/orders?token=abc" }).end();
    }),
  },
  "a page for people in place of JSON": {
    code: "SOURCE_MOVED",
    says: /page for people: <!DOCTYPE html><html><h1>Sign in<\/h1>/,
    hint: /Compare the base URL and the path/,
    ...answering((_asked, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!DOCTYPE html><html><h1>Sign in</h1></html>");
    }),
  },
  "words in place of JSON": {
    code: "SOURCE_NOT_JSON",
    says: /is not JSON: upstream connect error/,
    hint: /beginning of the answer/,
    ...answering((_asked, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end("upstream connect error");
    }),
  },
  "a small answer that ends in the middle, without a word of its length": {
    code: "SOURCE_TRUNCATED",
    says: /ended in the middle, after \d+ bytes. Tried 2 times/,
    hint: /Try again; nothing of it was committed/,
    ...answering(({ page }, response) => {
      response.writeHead(200, { connection: "close" });
      response.end(JSON.stringify(page).slice(0, -20));
    }),
  },
  "a small answer whose connection breaks": {
    code: "SOURCE_TRUNCATED",
    says: /broke off in the middle of the answer/,
    hint: /Try again/,
    ...answering(({ page }, response) => {
      const text = JSON.stringify(page);
      response.writeHead(200, { "content-length": text.length });
      response.write(text.slice(0, 30), () => response.destroy());
    }),
  },
  "a large answer that breaks off after megabytes of good records": {
    code: "SOURCE_TRUNCATED",
    says: /broke off in the middle of the answer/,
    hint: /Try again; nothing of it was committed/,
    ...answering((_asked, response) => {
      response.writeHead(200, { "content-length": 50_000_000 });
      response.write(`{"ok":true,"data":[${manyRecords()}`, () => response.destroy());
    }),
  },
  "a large answer that ends in the middle as if it were whole": {
    code: "SOURCE_TRUNCATED",
    says: /ended in the middle|ends in the middle/i,
    hint: /Try again; nothing of it was committed/,
    ...answering((_asked, response) => {
      response.writeHead(200, { connection: "close" });
      response.end(`{"ok":true,"data":[${manyRecords()}`);
    }),
  },
  "an error within an answer of 200": {
    code: "SOURCE_FAILED",
    says: /answered that it failed: quota of the day is used up/,
    hint: /nothing was committed/,
    ...answering((_asked, response) => {
      answerJson(response, { ok: false, message: "quota of the day is used up", data: [] });
    }),
  },
  "an error within the second page of 200": {
    code: "SOURCE_FAILED",
    says: /page 2.*failed: index is rebuilt/,
    hint: /nothing was committed/,
    damage: (world) => {
      for (let n = 0; n < 5; n++) world.depot.put("414", "orders", 50 + n);
      misbehave(({ request }, response) => {
        if (!request.query.has("token")) return false;
        answerJson(response, { ok: false, message: "index is rebuilt" });
        return true;
      })(world);
    },
    mend: behave,
  },
  "records that are not where they were": {
    code: "SOURCE_SHAPE_CHANGED",
    says: /GET .*\/414\/orders.* \(page 1\) answered without records at "data/,
    hint: /`records`/,
    ...answering(({ page }, response) => answerJson(response, { ok: true, items: page.data, next: null })),
  },
  "a server that fails on and on": {
    code: "SOURCE_FAILED",
    says: /answered 500.*It says: .*stack trace.* Tried 2 times/,
    hint: /nothing was committed/,
    ...answering(({ request }, response) => {
      const said = `stack trace: ${request.headers.authorization}`;
      answerJson(response, { said }, { status: 500 });
    }),
  },
  "a next token that comes again": {
    code: "PAGES_ENDLESS",
    says: /token/,
    hint: /pagination/,
    ...answering(({ page }, response) => answerJson(response, { ...page, next: "0" })),
  },
  "a clock that is an hour ahead": {
    code: "SOURCE_CLOCK_OFF",
    says: /1 h|60 min|3[56]\d\d(\.\d+)? s|3[56]\d{5} ms/,
    hint: /clock/,
    ...answering(({ page }, response) => {
      const date = new Date(Date.now() + 3_600_000).toUTCString();
      answerJson(response, page, { headers: { date } });
    }),
  },
  "a clock that is an hour behind": {
    code: "SOURCE_CLOCK_OFF",
    says: /1 h|60 min|3[56]\d\d(\.\d+)? s|3[56]\d{5} ms/,
    hint: /clock/,
    ...answering(({ page }, response) => {
      const date = new Date(Date.now() - 3_600_000).toUTCString();
      answerJson(response, page, { headers: { date } });
    }),
  },
  "records without their key, more than the share allowed": {
    code: "QUARANTINE_SHARE_EXCEEDED",
    says: /3 of \d+ records cannot be rows \(3 \S*key\S*, first at .*\/414\/orders/,
    hint: /reasons|quarantineShareMax/,
    damage: (world) => {
      for (let n = 0; n < 3; n++)
        world.depot.putText("414", "orders", `{"rev":1,"note":"no id","updated_at":"NOW"}`);
    },
    mend: (world) => {
      for (let n = 0; n < 3; n++) world.depot.takeBack("414", "orders");
    },
  },
  "a column of leat's own in the records": {
    code: "QUARANTINE_SHARE_EXCEEDED",
    says: /1 of \d+ records cannot be rows \(1 reserved-column, first at .*\/414\/orders/,
    hint: /choose another `tenantColumn`/,
    damage: (world) => {
      world.depot.putText(
        "414",
        "orders",
        `{"id":70,"tenant_id":"41","rev":1,"note":"whose?","updated_at":"NOW"}`,
      );
    },
    mend: (world) => world.depot.takeBack("414", "orders"),
  },
};

describe("a partner gives", () => {
  test.each(Object.entries(troubles))("%s", async (_what, trouble) => {
    await expectOneFails(world, trouble);
  });
});
