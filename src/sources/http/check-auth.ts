/** Checks declared credentials and compiles their templates. */

import { z } from "zod";
import { nearestName } from "../../errors/nearest-name.ts";
import { checkMembers, type FaultPath, type Faults, listWords, oneOf } from "../stream-declaration/faults.ts";
import type { AuthDeclaration } from "./access-declaration.ts";
import { isTemplate, parseTemplate, type Template, usedValues } from "./template.ts";

/** Credentials with their templates compiled. */
export type Auth =
  | Readonly<{ type: "none" }>
  | Readonly<{ type: "basic"; username: Template; password: Template }>
  | Readonly<{ type: "bearer"; token: Template }>
  | Readonly<{ type: "apiKey"; name: string; value: Template; in: "header" | "query" }>
  | Readonly<{
      type: "oauth2ClientCredentials";
      tokenUrl: Template;
      clientId: Template;
      clientSecret: Template;
      /** Scope, audience and whatever else the token's form has. */
      params: readonly (readonly [string, Template])[];
      clientAuthentication: "body" | "basic";
    }>;

const type = z.string();
const credential = z
  .string({ error: () => `write a text, a template, or a secret reference such as "env:NAME"` })
  .min(1);

const members = {
  none: { type },
  basic: {
    type,
    username: credential,
    password: z.string({ error: () => "write a text or a secret reference" }),
  },
  bearer: { type, token: credential },
  apiKey: {
    type,
    name: z.string().min(1),
    value: credential,
    in: oneOf(["header", "query"]).default("header"),
  },
  oauth2ClientCredentials: {
    type,
    tokenUrl: credential,
    clientId: credential,
    clientSecret: credential,
    scope: z.string().optional(),
    audience: z.string().optional(),
    params: z.record(z.string(), z.string()).default({}),
    clientAuthentication: oneOf(["body", "basic"]).default("body"),
  },
} as const satisfies Record<AuthDeclaration["type"], Record<string, z.ZodType>>;

const types = Object.keys(members) as AuthDeclaration["type"][]; // Just made of these names.

/** Checks `auth` of a source; with faults the result is only good for finding more of them. */
export function checkAuth(faults: Faults, path: FaultPath, input: unknown): Auth {
  if (input === undefined) return { type: "none" };
  const declared =
    typeof input === "object" && input !== null ? (input as { type?: unknown }).type : undefined;
  const kind = types.find((each) => each === declared);
  if (kind === undefined) {
    const near = typeof declared === "string" ? nearestName(declared, types) : undefined;
    const hint = near === undefined ? `use ${listWords(types)}` : `did you mean "${near}"?`;
    faults.add([...path, "type"], `${JSON.stringify(declared) ?? "nothing"} is not known; ${hint}`);
    return { type: "none" };
  }
  const compile = (name: string, text: string | undefined): Template =>
    compileCredential(faults, [...path, name], text);
  switch (kind) {
    case "none":
      checkMembers(faults, path, input, members.none);
      return { type: kind };
    case "basic": {
      const checked = checkMembers(faults, path, input, members.basic);
      return {
        type: kind,
        username: compile("username", checked.username),
        password: compile("password", checked.password),
      };
    }
    case "bearer":
      return { type: kind, token: compile("token", checkMembers(faults, path, input, members.bearer).token) };
    case "apiKey": {
      const checked = checkMembers(faults, path, input, members.apiKey);
      return {
        type: kind,
        name: checked.name ?? "",
        value: compile("value", checked.value),
        in: checked.in ?? "header",
      };
    }
    case "oauth2ClientCredentials": {
      const checked = checkMembers(faults, path, input, members.oauth2ClientCredentials);
      const { scope, audience, params = {}, clientAuthentication = "body" } = checked;
      const form = Object.entries(params).map(
        ([name, text]) => [name, compile(`params.${name}`, text)] as const,
      );
      if (scope !== undefined) form.push(["scope", compile("scope", scope)]);
      if (audience !== undefined) form.push(["audience", compile("audience", audience)]);
      return {
        type: kind,
        tokenUrl: compile("tokenUrl", checked.tokenUrl),
        clientId: compile("clientId", checked.clientId),
        clientSecret: compile("clientSecret", checked.clientSecret),
        params: form,
        clientAuthentication,
      };
    }
  }
}

/** Compiles a text that may be a secret reference and knows no value of a single request. */
export function compileCredential(faults: Faults, path: FaultPath, text: string | undefined): Template {
  const parsed = parseTemplate(text ?? "", true);
  if (!isTemplate(parsed)) {
    faults.add(path, parsed.fault);
    return [];
  }
  for (const value of usedValues(parsed))
    faults.add(path, `{${value}} changes with each request and cannot stand here`);
  return parsed;
}
