/** What a person writes of how a system is reached over HTTP. */

/** Credentials, headers, limits and waits: of the whole source, for each tenant by itself. */
export type AccessDeclaration = Readonly<{
  /** How requests are authorised. Default none. */
  auth?: AuthDeclaration;
  /** Sent with every request, over what leat sends by itself (`accept`, `accept-encoding`, `user-agent`). */
  headers?: Readonly<Record<string, string>>;
  /**
   * What one tenant's credential may do, for all streams together. `requests` in any span of `perMs` (default any
   * number), `concurrency` at once (default 4 for an API, which no partner takes for an attack; for files as many as a stream
   * asks for, by default 1).
   * @example { requests: 50, perMs: 1000 }
   */
  rateLimit?: Readonly<{ requests?: number; perMs?: number; concurrency?: number }>;
  /** How long to wait, ms or a span. Defaults: connect 10 s, headers 60 s, body 60 s between two pieces. */
  timeouts?: Readonly<{ connect?: string | number; headers?: string | number; body?: string | number }>;
  /**
   * How often (`tries`, the first included; default 6) and how long in all (`total`, default 5 minutes) one request is
   * tried on network faults, 408, 429 and 5xx. POST requests too: a stream only reads.
   */
  retry?: Readonly<{ tries?: number; total?: string | number }>;
}>;

/** Credentials: text, a template, or a secret reference such as `env:NAME`. */
export type AuthDeclaration =
  | Readonly<{ type: "none" }>
  | Readonly<{ type: "basic"; username: string; password: string }>
  | Readonly<{ type: "bearer"; token: string }>
  | Readonly<{
      type: "apiKey";
      /** The header's or parameter's name. */
      name: string;
      /** @example "Token {tenant.apiKey}" */
      value: string;
      /** Default `header`: addresses are written to logs along the way. */
      in?: "header" | "query";
    }>
  | Readonly<{
      type: "oauth2ClientCredentials";
      tokenUrl: string;
      clientId: string;
      clientSecret: string;
      scope?: string;
      audience?: string;
      /** Further members of the token request's form. */
      params?: Readonly<Record<string, string>>;
      /** Where the client's id and secret go. Default `body`, which nearly every server takes; RFC 6749 prefers `basic`. */
      clientAuthentication?: "body" | "basic";
    }>;
