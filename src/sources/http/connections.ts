/** Open connections, turns and tokens of a source, shared by its readers. */
import type { Tenant } from "../../ports/source.ts";
import { TokenStore } from "./authenticator.ts";
import type { Access } from "./check-access.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { openTransport, type Transport } from "./transport.ts";

/** What all readers of a source share: open connections, each tenant's turns and tokens. */
export class Connections {
  readonly #access: Access;
  readonly #tenants = new Map<string, { limiter: RateLimiter; tokens: TokenStore }>();
  #transport: Transport | undefined;
  #users = 0;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Turns and tokens of a tenant. A tenant whose fields have changed may have other credentials, and begins anew. */
  ofTenant(tenant: Tenant): { limiter: RateLimiter; tokens: TokenStore } {
    const key = JSON.stringify([tenant.id, tenant.fields]);
    let shared = this.#tenants.get(key);
    if (shared === undefined) {
      shared = { limiter: new RateLimiter(this.#access.rateLimit), tokens: new TokenStore() };
      this.#tenants.set(key, shared);
    }
    return shared;
  }

  use(): Transport {
    this.#users++;
    this.#transport ??= openTransport(this.#access.timeouts);
    return this.#transport;
  }

  /** Closes the connections with their last user: idle ones would keep the process alive. */
  async release(): Promise<void> {
    if (--this.#users > 0) return;
    const transport = this.#transport;
    this.#transport = undefined;
    await transport?.close();
  }
}
