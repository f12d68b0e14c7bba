/** Adds a credential to requests, and renews it where that is possible. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { isJsonObject, type JsonValue } from "../../model/json-value.ts";
import type { Clock } from "../../ports/world.ts";
import type { Auth } from "./check-auth.ts";
import { encodePair } from "./query-pair.ts";
import type { Lookups, Template } from "./template.ts";
import type { WireRequest } from "./transport.ts";

/** What is added to a request. `token`: the bearer token it rests on, to say later which one was refused. */
export type Credential = Readonly<{
  headers: Readonly<Record<string, string>>;
  query: Readonly<{ name: string; value: string }> | undefined;
  token: string | undefined;
}>;

/** Sends a token request, with retries, and gives the answer's JSON. */
export type FetchToken = (request: WireRequest, signal: AbortSignal) => Promise<JsonValue>;

/** A token is renewed this long before it ends, or after nine tenths of a shorter life: requests take time. */
const renewAheadMs = 30_000;
/** RFC 6749 lets a server leave the lifetime out; an hour is the usual one, and a 401 renews it anyway. */
const lifetimeDefaultS = 3600;

/** The newest token of one tenant, shared by its streams. */
export class TokenStore {
  #token: string | undefined;
  #renewAtMs = 0;
  #pending: Promise<string> | undefined;

  /** The token, fetched when there is none or it is about to end; callers at the same time share one request. */
  async get(
    clock: Clock,
    fetch: () => Promise<Readonly<{ token: string; lifetimeMs: number }>>,
  ): Promise<string> {
    if (this.#token !== undefined && clock.nowMs() < this.#renewAtMs) return this.#token;
    if (this.#pending !== undefined) {
      try {
        return await this.#pending;
      } catch (error) {
        if (isLeatError(error)) throw error;
        return this.get(clock, fetch); // Whoever fetched was stopped; that is no reason for this caller to stop.
      }
    }
    this.#pending = this.#renew(clock, fetch).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Forgets a refused token, unless another has replaced it already. */
  forget(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  async #renew(
    clock: Clock,
    fetch: () => Promise<Readonly<{ token: string; lifetimeMs: number }>>,
  ): Promise<string> {
    const { token, lifetimeMs } = await fetch();
    this.#token = token;
    this.#renewAtMs = clock.nowMs() + Math.max(lifetimeMs * 0.9, lifetimeMs - renewAheadMs);
    return token;
  }
}

/** Templates that a credential needs. */
export function authTemplates(auth: Auth): Template[] {
  switch (auth.type) {
    case "none":
      return [];
    case "basic":
      return [auth.username, auth.password];
    case "bearer":
      return [auth.token];
    case "apiKey":
      return [auth.value];
    case "oauth2ClientCredentials":
      return [
        auth.tokenUrl,
        auth.clientId,
        auth.clientSecret,
        ...auth.params.map(([, template]) => template),
      ];
  }
}

/** Makes the credential of a request. Secrets that it makes are added to `lookups`, which keeps them out of messages. */
export async function makeCredential(
  auth: Auth,
  lookups: Lookups,
  tokens: TokenStore,
  clock: Clock,
  fetchToken: FetchToken,
  signal: AbortSignal,
): Promise<Credential> {
  const text = (template: Template): string => lookups.render(template, {})?.text ?? "";
  const header = (name: string, value: string, secret: string, token?: string): Credential => {
    lookups.addSecret(secret);
    if (unsendable.test(value)) throw refuseUnsendable(name);
    return { headers: { [name.toLowerCase()]: value }, query: undefined, token };
  };
  switch (auth.type) {
    case "none":
      return { headers: {}, query: undefined, token: undefined };
    case "basic": {
      lookups.addSecret(text(auth.password));
      const encoded = Buffer.from(`${text(auth.username)}:${text(auth.password)}`).toString("base64");
      return header("authorization", `Basic ${encoded}`, encoded);
    }
    case "bearer":
      return header("authorization", `Bearer ${text(auth.token)}`, text(auth.token));
    case "apiKey": {
      const value = text(auth.value);
      if (auth.in === "header") return header(auth.name, value, value);
      lookups.addSecret(value);
      return { headers: {}, query: { name: auth.name, value }, token: undefined };
    }
    case "oauth2ClientCredentials": {
      const token = await tokens.get(clock, async () => {
        lookups.addSecret(text(auth.clientSecret));
        return readToken(await fetchToken(tokenRequest(auth, text), signal));
      });
      return header("authorization", `Bearer ${token}`, token, token);
    }
  }
}

/** What no header can hold; RFC 9110 §5.5, read 2026-11. A line break at the end of a copied key is the usual one. */
const unsendable = /[^\t\x20-\x7e\x80-\xff]/;

function refuseUnsendable(name: string): LeatError {
  return new LeatError("SOURCE_AUTH_FAILED", {
    message: `The credential holds a character that cannot be sent in the header ${name}; no request was sent.`,
    hint: "Look for a line break or a foreign letter in this tenant's credential, as it was copied.",
  });
}

/** @see source: RFC 6749 §4.4.2 and §2.3.1, read 2026-11. */
function tokenRequest(
  auth: Extract<Auth, { type: "oauth2ClientCredentials" }>,
  text: (template: Template) => string,
): WireRequest {
  const form = [encodePair("grant_type", "client_credentials")];
  const headers: Record<string, string> = {
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded",
  };
  const id = text(auth.clientId);
  const secret = text(auth.clientSecret);
  if (auth.clientAuthentication === "body") {
    form.push(encodePair("client_id", id), encodePair("client_secret", secret));
  } else {
    const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
    headers["authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
  }
  for (const [name, template] of auth.params) form.push(encodePair(name, text(template)));
  return { method: "POST", address: text(auth.tokenUrl), headers, body: form.join("&") };
}

function readToken(answer: JsonValue): Readonly<{ token: string; lifetimeMs: number }> {
  const token = isJsonObject(answer) ? answer["access_token"] : undefined;
  if (typeof token !== "string" || token === "") {
    throw new LeatError("SOURCE_AUTH_FAILED", {
      message: "The token address answered without an access_token.",
      hint: "Compare `auth.tokenUrl` with the partner's documentation.",
    });
  }
  const lifetimeS = Number(
    isJsonObject(answer) ? (answer["expires_in"] ?? lifetimeDefaultS) : lifetimeDefaultS,
  );
  return { token, lifetimeMs: (Number.isFinite(lifetimeS) ? lifetimeS : lifetimeDefaultS) * 1000 };
}
