/**
 * Sessions of the console. A session is a sealed text in the browser's cookie: no server keeps it, so that it outlives a
 * restart and holds on every server of the same secret. What it may do is looked up with each request.
 */
import { createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../ports/world.ts";
import type { Role } from "./route-roles.ts";
import { roles } from "./route-roles.ts";

/** Life of a session, ms: a working day. */
export const sessionMs: number = 12 * 3_600_000;

/** Sessions that were ended and are remembered: beyond these the oldest counts as valid again until it expires. */
const endedMax = 10_000;

/** Longest cookie that is looked at, characters: browsers keep some 4,096. */
const cookieLengthMax = 4096;

/**
 * What it costs to make the key of a secret: some 100 ms and 32 MiB, once. People choose tokens, and whoever has a cookie
 * could else guess the token behind its seal a million times a second.
 */
const hardness = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 } as const;

/** Who is signed in. `role`: what the token gave that was shown; `undefined`: what the address has now. */
export type Session = Readonly<{ id: string; name: string; role: Role | undefined; endsAtMs: number }>;

const sessionSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles).optional(),
  endsAtMs: z.number(),
});

/** Seals texts for browsers, and knows its own. */
export class Sessions {
  readonly #key: Buffer;
  readonly #clock: Clock;
  readonly #isSecure: boolean;
  readonly #ended = new Set<string>();

  /**
   * @param secret - of all servers that take each other's sessions, and of nobody else; another one ends them all.
   * @param isSecure - whether browsers reach the console over HTTPS.
   */
  constructor(secret: string, clock: Clock, isSecure: boolean) {
    this.#key = scryptSync(secret, "leat console session", 32, hardness);
    this.#clock = clock;
    this.#isSecure = isSecure;
  }

  /** The cookie's name: a browser takes `__Host-` only over HTTPS and only from the host itself. */
  get cookieName(): string {
    return this.#cookieNamed("leat-session");
  }

  #cookieNamed(name: string): string {
    return this.#isSecure ? `__Host-${name}` : name;
  }

  /** Begins a session. @returns the value of a `Set-Cookie` header. */
  begin(name: string, role: Role | undefined): string {
    const endsAtMs = this.#clock.nowMs() + sessionMs;
    const session = { id: randomBytes(12).toString("base64url"), name, role, endsAtMs };
    return this.cookie("leat-session", this.seal("session", session), sessionMs);
  }

  /** Ends the session of a request. @returns the value of a `Set-Cookie` header. */
  end(cookies: string | undefined): string {
    const session = this.read(cookies);
    if (session !== undefined && session !== "expired") {
      const [oldest] = this.#ended;
      if (this.#ended.size >= endedMax && oldest !== undefined) this.#ended.delete(oldest);
      this.#ended.add(session.id);
    }
    return this.cookie("leat-session", "", 0);
  }

  /** The session that a request's cookies hold; `undefined`: none that is ours. */
  read(cookies: string | undefined): Session | "expired" | undefined {
    const parsed = sessionSchema.safeParse(this.unseal("session", this.find("leat-session", cookies)));
    if (!parsed.success) return undefined;
    const { id, name, role, endsAtMs } = parsed.data;
    if (endsAtMs <= this.#clock.nowMs() || this.#ended.has(id)) return "expired";
    return { id, name, role, endsAtMs };
  }

  /** A `Set-Cookie` header. `lifeMs` 0: the browser forgets it. */
  cookie(name: string, value: string, lifeMs: number): string {
    return [
      `${this.#cookieNamed(name)}=${value}`,
      "Path=/",
      `Max-Age=${Math.floor(lifeMs / 1000)}`,
      "HttpOnly",
      "SameSite=Lax", // A provider leads back here from its own site, and the cookie must come along.
      ...(this.#isSecure ? ["Secure"] : []),
    ].join("; ");
  }

  find(name: string, cookies: string | undefined): string | undefined {
    if (cookies === undefined || cookies.length > cookieLengthMax) return undefined;
    const start = `${this.#cookieNamed(name)}=`;
    return cookies
      .split(/;\s*/)
      .find((one) => one.startsWith(start))
      ?.slice(start.length);
  }

  /** Makes a text of a value that only this secret can have made. @param purpose - a text of one is none of another. */
  seal(purpose: string, value: unknown): string {
    const body = Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${body}.${this.#sign(purpose, body).toString("base64url")}`;
  }

  /** The value of a sealed text; `undefined`: it is none of ours. */
  unseal(purpose: string, text: string | undefined): unknown {
    const [body, signature, ...rest] = (text ?? "").split(".");
    if (body === undefined || signature === undefined || rest.length > 0) return undefined;
    const right = this.#sign(purpose, body);
    const shown = Buffer.from(signature, "base64url");
    if (shown.length !== right.length || !timingSafeEqual(shown, right)) return undefined;
    return JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as unknown; // Written by `seal`.
  }

  #sign(purpose: string, body: string): Buffer {
    return createHmac("sha256", this.#key).update(`${purpose}\n${body}`).digest();
  }
}
