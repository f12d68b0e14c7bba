/** What a person writes of the credentials that requests carry. */

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
