/** Text with placeholders: `/licenses/{partition}/plants`, `token {env:PARTNER_TOKEN}`, `{tenant.apiKey}`. */
import { LeatError } from "../../errors/leat-error.ts";
import { readJsonPath } from "../../model/json-value.ts";
import type { Tenant } from "../../ports/source.ts";
import type { Secrets } from "../../ports/world.ts";

/** Values that change from request to request. `token` is the cursor token or the last id, by the pagination. */
export const valueNames = [
  "partition",
  "cursor.start",
  "cursor.end",
  "page",
  "offset",
  "size",
  "token",
] as const;
export type ValueName = (typeof valueNames)[number];
export type Values = Readonly<Partial<Record<ValueName, string | number | bigint | undefined>>>;

/** A part of a template: text as it is, a value of the request, or what is looked up once (tenant, secret). */
export type TemplatePart =
  | string
  | Readonly<{ value: ValueName }>
  | Readonly<{ tenantField: string }>
  | Readonly<{ secret: string }>;

export type Template = readonly TemplatePart[];

/** What a template came to. `isSecret`: some of it was looked up as a secret. */
export type Rendered = Readonly<{ text: string; isSecret: boolean }>;

/** References that `Secrets` resolves; any other text stands for itself. */
const secretReference = /^(?:env|file|gcp-secret):\S/;
const placeholder = /\{\{|\}\}|\{([A-Za-z_][\w.:/-]*)\}/g;

/**
 * Parses a template.
 *
 * A placeholder is a name in braces without blanks: `{partition}`, `{cursor.start}`, `{cursor.end}`, `{page}`,
 * `{offset}`, `{size}`, `{token}`, `{tenant.<field>}`, `{env:NAME}`, `{file:PATH}`. `{{` and `}}` are braces.
 *
 * @param isReference - whether a text that is altogether `env:NAME` or `file:PATH` is that secret (credentials and
 *   headers; in parameters `env:production` may well be meant).
 * @returns the template, or what is wrong with the text.
 */
export function parseTemplate(text: string, isReference = false): Template | Readonly<{ fault: string }> {
  if (isReference && secretReference.test(text)) return [{ secret: text }];
  const parts: TemplatePart[] = [];
  let from = 0;
  const literal = (piece: string) => {
    const last = parts.at(-1);
    if (piece === "") return;
    if (typeof last === "string") parts[parts.length - 1] = last + piece;
    else parts.push(piece);
  };
  for (const match of text.matchAll(placeholder)) {
    literal(text.slice(from, match.index));
    from = match.index + match[0].length;
    const name = match[1];
    if (name === undefined) literal(match[0][0]!);
    else if (isValueName(name)) parts.push({ value: name });
    else if (secretReference.test(name)) parts.push({ secret: name });
    else if (name.startsWith("tenant.")) parts.push({ tenantField: name.slice("tenant.".length) });
    else {
      const known = [...valueNames, "tenant.<field>", "env:NAME", "file:PATH"]
        .map((each) => `{${each}}`)
        .join(", ");
      return { fault: `{${name}} is not known; known are ${known}; a brace itself is written twice` };
    }
  }
  literal(text.slice(from));
  return parts;
}

/** Whether a template came out of {@link parseTemplate} and not a fault. */
export function isTemplate(parsed: Template | Readonly<{ fault: string }>): parsed is Template {
  return Array.isArray(parsed);
}

/** Names of the request's values that a template needs. */
export function usedValues(template: Template): ValueName[] {
  return template.flatMap((part) => (typeof part === "object" && "value" in part ? [part.value] : []));
}

/** What was looked up for one tenant: the tenant's fields and secrets that templates name. */
export class Lookups {
  readonly #known = new Map<string, Rendered>();
  readonly #secrets = new Set<string>();
  readonly #tenant: Tenant;
  readonly #resolver: Secrets;

  constructor(tenant: Tenant, resolver: Secrets) {
    this.#tenant = tenant;
    this.#resolver = resolver;
  }

  /** Every secret seen so far, to keep out of messages. */
  get secrets(): ReadonlySet<string> {
    return this.#secrets;
  }

  /**
   * Looks up what templates need and is not known yet.
   *
   * @throws {@link LeatError} `TENANTS_INVALID` for a field that the tenant has not, `SECRET_MISSING`.
   */
  async resolve(templates: Iterable<Template>): Promise<void> {
    for (const template of templates) {
      for (const part of template) {
        if (typeof part === "string" || "value" in part) continue;
        const key = lookupKey(part);
        if (!this.#known.has(key)) this.#known.set(key, await this.#lookUp(part));
      }
    }
  }

  /** Fills a template in; `undefined` when a value of the request that it names is not there. */
  render(
    template: Template,
    values: Values,
    encode: (text: string) => string = (text) => text,
  ): Rendered | undefined {
    let text = "";
    let isSecret = false;
    for (const part of template) {
      if (typeof part === "string") {
        text += part;
      } else if ("value" in part) {
        const value = values[part.value];
        if (value === undefined) return undefined;
        text += encode(String(value));
      } else {
        const found = this.#known.get(lookupKey(part))!; // `resolve` was called with every template before.
        text += encode(found.text);
        isSecret ||= found.isSecret;
      }
    }
    return { text, isSecret };
  }

  /** Keeps a value out of messages that did not come from a reference: a password written down, a token. */
  addSecret(secret: string): void {
    if (secret !== "") this.#secrets.add(secret);
  }

  async #lookUp(part: Readonly<{ tenantField: string }> | Readonly<{ secret: string }>): Promise<Rendered> {
    if ("secret" in part) return this.#resolveSecret(part.secret);
    const { id, fields } = this.#tenant;
    const value = part.tenantField === "id" ? id : readJsonPath(fields, part.tenantField);
    if (typeof value === "string" && value !== "") {
      return secretReference.test(value) ? this.#resolveSecret(value) : { text: value, isSecret: false };
    }
    if (typeof value === "number" || typeof value === "boolean")
      return { text: String(value), isSecret: false };
    throw new LeatError("TENANTS_INVALID", {
      message: `Tenant "${id}" has no "${part.tenantField}", which the source needs.`,
      hint: `Add "${part.tenantField}" to tenant "${id}" in the tenants file, as text or a secret reference.`,
      details: { tenant: id, field: part.tenantField },
    });
  }

  async #resolveSecret(reference: string): Promise<Rendered> {
    const text = await this.#resolver.resolve(reference);
    this.addSecret(text);
    return { text, isSecret: true };
  }
}

function isValueName(name: string): name is ValueName {
  return (valueNames as readonly string[]).includes(name);
}

function lookupKey(part: Readonly<{ tenantField: string }> | Readonly<{ secret: string }>): string {
  return "secret" in part ? part.secret : `{tenant.${part.tenantField}}`;
}
