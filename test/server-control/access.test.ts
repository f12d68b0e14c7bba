/** Who may do what: every route for every role, tokens, sessions and origins. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system-world.ts";
import type { Access } from "../../src/server/access/access.ts";
import { roles, routeRoles } from "../../src/server/access/route-roles.ts";
import { Sessions, sessionMs } from "../../src/server/access/sessions.ts";
import { type ApiStand, openAccess, withApi } from "./open-api.ts";

const tokens = { viewer: "token-of-a-viewer", operator: "token-of-an-operator", admin: "token-of-an-admin" };

/** What is let in where a role is needed, written out: the table's own order is what is tried. */
const letIn = {
  viewer: ["viewer", "operator", "admin"],
  operator: ["operator", "admin"],
  admin: ["admin"],
} as const;

const access = (facts: Partial<Access> = {}): Access => ({
  ...openAccess("unused"),
  tokens: roles.map((role) => ({ role, text: tokens[role] })),
  sessions: new Sessions("a secret", systemClock, false),
  ...facts,
});

const signIn = async ({ app }: ApiStand, token: string, more: Record<string, string> = {}) =>
  app.inject({
    method: "POST",
    url: "/api/session",
    headers: { host: "leat.example.com", origin: "https://leat.example.com", ...more },
    payload: { token, name: "ann" },
  });
const codeOf = ({ body }: { body: string }): unknown =>
  body.startsWith("{") ? JSON.parse(body).code : undefined;
const cookieOf = (answer: { headers: Record<string, unknown> }): string =>
  String([answer.headers["set-cookie"]].flat()[0]).split(";")[0]!;

test("every route lets in the roles of the table and no other, by token and by session", {
  timeout: 60_000,
}, async () => {
  await withApi(
    async (stand) => {
      const origin = { host: "leat.example.com", origin: "https://leat.example.com" };
      const cookies = new Map<string, string>();
      for (const role of roles) cookies.set(role, cookieOf(await signIn(stand, tokens[role])));
      let walked = 0;
      for (const [route, needs] of routeRoles) {
        const [method = "", address = ""] = route.split(" ");
        if (/\/(stream|live)$/.test(address)) continue; // They never end; their guard is the same.
        const url = address.replaceAll(/:\w+|\*/g, "no-such-thing");
        const send = async (headers: Record<string, string>) =>
          stand.app.inject({
            method: method as "GET",
            url,
            headers,
            ...(method === "GET" || method === "HEAD" ? {} : { payload: {} }),
          });
        const nobody = await send(origin);
        if (needs === "open") {
          // Whatever it says, it is not that somebody has to sign in: a webhook wants its own secret.
          expect(["SIGN_IN_NEEDED", "ROLE_MISSING"], route).not.toContain(codeOf(nobody));
          continue;
        }
        expect(nobody.statusCode, route).toBe(401);
        for (const role of roles) {
          for (const who of [
            { authorization: `Bearer ${tokens[role]}` },
            { cookie: cookies.get(role)!, ...origin },
          ]) {
            const answer = await send({ host: "leat.example.com", ...who });
            const isRefused = answer.statusCode === 403 && codeOf(answer) === "ROLE_MISSING";
            expect(isRefused, `${route} as ${role}`).toBe(!letIn[needs].some((one) => one === role));
            expect(answer.statusCode, `${route} as ${role}`).not.toBe(401);
          }
          walked += 1;
        }
      }
      expect(walked).toBeGreaterThan(3 * 40);
    },
    { access: access() },
  );
});

test("to look needs a viewer, to run an operator, and to set up an admin", () => {
  const roleOf = (route: string) => routeRoles.get(route);
  expect(roleOf("GET /api/runs")).toBe("viewer");
  expect(roleOf("POST /api/deployments/:id/runs")).toBe("operator");
  expect(roleOf("PUT /api/streams/:id/tenants/:tenant/cursor")).toBe("operator");
  expect(roleOf("PUT /api/secrets/:name")).toBe("admin");
  for (const [route, needs] of routeRoles) if (needs === "viewer") expect(route).toMatch(/^(GET|HEAD) /);
});

test("a session is a cookie that scripts cannot read, lasts its time and ends when it is ended", async () => {
  let aheadMs = 0;
  const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };
  await withApi(
    async (stand) => {
      const origin = { host: "leat.example.com", origin: "https://leat.example.com" };
      const signedIn = await signIn(stand, tokens.operator);
      const set = String(signedIn.headers["set-cookie"]);
      expect(set).toMatch(
        /^__Host-leat-session=[^;]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure$/,
      );
      const cookie = cookieOf(signedIn);
      const session = async (sent: string) =>
        (await stand.app.inject({ url: "/api/session", headers: { cookie: sent } })).json();
      expect(await session(cookie)).toMatchObject({ user: "ann", role: "operator", can_sign_out: true });
      for (const forged of [
        cookie.slice(0, -2),
        `${cookie}x`,
        cookie.replace("=", "=e30"),
        "__Host-leat-session=a.b",
      ])
        expect((await session(forged)).user, forged).toBe(null);
      expect((await session(cookie.replace("__Host-", ""))).user).toBe(null);
      const runs = async () => stand.app.inject({ url: "/api/runs", headers: { cookie } });
      expect((await runs()).statusCode).toBe(200);
      aheadMs = sessionMs;
      expect([(await runs()).statusCode, (await runs()).json().code]).toEqual([401, "SIGN_IN_NEEDED"]);
      expect(await session(cookie)).toMatchObject({ user: null, problem: "The session is over." });
      aheadMs = 0;
      await stand.app.inject({ method: "DELETE", url: "/api/session", headers: { cookie, ...origin } });
      expect((await runs()).statusCode).toBe(401);
      expect((await session(cookieOf(await signIn(stand, tokens.admin)))).role).toBe("admin");
    },
    { access: access({ sessions: new Sessions("a secret", clock, true) }) },
  );
});

test("a page of another site changes nothing in the name of who is signed in", async () => {
  await withApi(
    async (stand) => {
      const cookie = cookieOf(await signIn(stand, tokens.admin));
      const pause = async (sent: Record<string, string>) => {
        const answer = await stand.app.inject({
          method: "POST",
          url: "/api/schedules/letters/pause",
          headers: { host: "leat.example.com", ...sent },
        });
        return [answer.statusCode, answer.json().code];
      };
      for (const origin of [
        "https://evil.example.com",
        "null",
        "https://leat.example.com.evil.com",
        "",
        "leat.example.com",
      ])
        expect(await pause({ cookie, origin }), origin).toEqual([403, "ORIGIN_REFUSED"]);
      expect(await pause({ cookie })).toEqual([403, "ORIGIN_REFUSED"]);
      expect(await pause({ cookie, origin: "https://leat.example.com" })).toEqual([200, undefined]);
      expect(await pause({ authorization: `Bearer ${tokens.operator}` })).toEqual([200, undefined]);
      const away = await signIn(stand, tokens.admin, { origin: "https://evil.example.com" });
      expect([away.statusCode, away.headers["set-cookie"]]).toEqual([403, undefined]);
      const audits = (await stand.ledger.listEvents({ kinds: ["audit"] })).map(({ data }) => [
        data["by"],
        data["role"],
      ]);
      expect(audits).toEqual([
        ["ann", "admin"],
        ["api", "operator"],
      ]);
    },
    { access: access() },
  );
});

test("whoever tries tokens in vain keeps nobody else out", async () => {
  await withApi(
    async (stand) => {
      const codes = [];
      for (let n = 0; n < 40; n++) codes.push((await signIn(stand, `guess ${n}`)).json().code);
      expect(new Set(codes)).toEqual(new Set(["TOKEN_REFUSED"]));
      expect((await signIn(stand, tokens.viewer)).statusCode).toBe(200);
    },
    { access: access() },
  );
});
