/** How a REST stream is fetched: path, parameters, headers and body, compiled once, filled in for each request. */
import { LeatError } from "../../errors/leat-error.ts";
import type { JsonValue } from "../../model/json-value.ts";
import type { PlannedRequest } from "../http/exchange.ts";
import { encodePair } from "../http/query-pair.ts";
import type { Lookups, Template, Values } from "../http/template.ts";
import { toJsonText } from "../stream-declaration/json-text.ts";
import type { ParameterPlace } from "./pagination-declaration.ts";

/** A name with its values; more than one repeats it. */
export type TemplateParam = Readonly<{ name: string; values: readonly Template[] }>;

/** A JSON body with its texts compiled. A text that is one placeholder takes the value's own type. */
export type JsonTemplate =
  | Readonly<{ kind: "text"; template: Template }>
  | Readonly<{ kind: "literal"; value: null | boolean | number }>
  | Readonly<{ kind: "list"; items: readonly JsonTemplate[] }>
  | Readonly<{ kind: "object"; members: readonly (readonly [string, JsonTemplate])[] }>;

export type BodyTemplate =
  | Readonly<{ kind: "json"; json: JsonTemplate }>
  | Readonly<{ kind: "form"; params: readonly TemplateParam[] }>;

/** What a stream's request is made of. */
export type Endpoint = Readonly<{
  method: "GET" | "POST";
  path: Template;
  params: readonly TemplateParam[];
  headers: readonly (readonly [string, Template])[];
  body: BodyTemplate | undefined;
}>;

/** A parameter that leat adds: the cursor, the page, the sort. */
export type Parameter = Readonly<{ name: string; in: ParameterPlace; value: string | number | bigint }>;

/** Every template of an endpoint, to look up what they need. */
export function endpointTemplates(endpoint: Endpoint): Template[] {
  const templates: Template[] = [endpoint.path];
  for (const param of endpoint.params) templates.push(...param.values);
  for (const [, template] of endpoint.headers) templates.push(template);
  if (endpoint.body?.kind === "form")
    for (const param of endpoint.body.params) templates.push(...param.values);
  if (endpoint.body?.kind === "json") templates.push(...jsonTemplates(endpoint.body.json));
  return templates;
}

function jsonTemplates(json: JsonTemplate): Template[] {
  switch (json.kind) {
    case "text":
      return [json.template];
    case "literal":
      return [];
    case "list":
      return json.items.flatMap(jsonTemplates);
    case "object":
      return json.members.flatMap(([, member]) => jsonTemplates(member));
  }
}

/**
 * Fills an endpoint in.
 *
 * @param nextAddress - the address that the partner gave for this page; its query is sent as it is.
 */
export function planRequest(
  endpoint: Endpoint,
  baseUrl: string,
  values: Values,
  parameters: readonly Parameter[],
  lookups: Lookups,
  nextAddress?: string,
): PlannedRequest {
  const secretParams = new Set<string>();
  const query = renderParams(endpoint.params, values, lookups, secretParams);
  for (const { name, value } of parameters.filter((each) => each.in === "query"))
    query.push(encodePair(name, `${value}`));
  const headers: Record<string, string> = {};
  for (const [name, template] of endpoint.headers) {
    const rendered = lookups.render(template, values);
    if (rendered !== undefined) headers[name] = rendered.text;
  }
  for (const { name, value } of parameters.filter((each) => each.in === "header"))
    headers[name.toLowerCase()] = `${value}`;
  const inBody = parameters.filter((each) => each.in === "body");
  let body: string | undefined;
  if (endpoint.body?.kind === "form") {
    const pairs = renderParams(endpoint.body.params, values, lookups, new Set());
    for (const { name, value } of inBody) pairs.push(encodePair(name, `${value}`));
    body = pairs.join("&");
    headers["content-type"] ??= "application/x-www-form-urlencoded";
  } else if (endpoint.body?.kind === "json") {
    const json = renderJson(endpoint.body.json, values, lookups);
    for (const { name, value } of inBody) setMember(json, name, value);
    body = toJsonText(json);
    headers["content-type"] ??= "application/json";
  }
  const path = lookups.render(endpoint.path, values, encodeURIComponent)?.text ?? "";
  refuseDots(path);
  const own = joinAddress(baseUrl, path) + (query.length === 0 ? "" : `?${query.join("&")}`);
  return { method: endpoint.method, address: nextAddress ?? own, headers, body, secretParams };
}

/** Percent-encoding leaves dots alone, and `..` leads to another endpoint with the same credential. */
function refuseDots(path: string): void {
  if (!path.split("/").some((segment) => segment === "." || segment === "..")) return;
  throw new LeatError("SOURCE_FAILED", {
    message: `A value in the path ${JSON.stringify(path)} would lead out of it.`,
    hint: "Look at the partition or parent record that it comes from.",
    retryable: false,
  });
}

/** A path stands behind the base, whatever slashes either has: `new URL` would drop the base's own path. */
export function joinAddress(baseUrl: string, path: string): string {
  if (path === "") return baseUrl;
  return `${baseUrl.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
}

function renderParams(
  params: readonly TemplateParam[],
  values: Values,
  lookups: Lookups,
  secretParams: Set<string>,
): string[] {
  const pairs: string[] = [];
  for (const { name, values: templates } of params) {
    for (const template of templates) {
      const rendered = lookups.render(template, values);
      if (rendered === undefined) continue;
      if (rendered.isSecret) secretParams.add(name);
      pairs.push(encodePair(name, rendered.text));
    }
  }
  return pairs;
}

type MutableJson = null | boolean | number | bigint | string | MutableJson[] | { [key: string]: MutableJson };

function renderJson(json: JsonTemplate, values: Values, lookups: Lookups): MutableJson | undefined {
  switch (json.kind) {
    case "literal":
      return json.value;
    case "list":
      return json.items.map((item) => renderJson(item, values, lookups)).filter((item) => item !== undefined);
    case "object": {
      const members: { [key: string]: MutableJson } = {};
      for (const [name, member] of json.members) {
        const value = renderJson(member, values, lookups);
        if (value !== undefined) setOwn(members, name, value);
      }
      return members;
    }
    case "text": {
      const [only] = json.template;
      if (json.template.length === 1 && typeof only === "object" && "value" in only)
        return values[only.value];
      return lookups.render(json.template, values)?.text;
    }
  }
}

function setMember(json: MutableJson | undefined, path: string, value: string | number | bigint): void {
  let at = json;
  const names = path.split(".");
  for (const name of names.slice(0, -1)) {
    if (!isObject(at)) return;
    const inner: MutableJson = Object.hasOwn(at, name) && isObject(at[name]) ? at[name]! : {};
    setOwn(at, name, inner);
    at = inner;
  }
  if (isObject(at)) setOwn(at, names.at(-1)!, value);
}

function isObject(value: MutableJson | undefined): value is { [key: string]: MutableJson } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Also for `__proto__`, which an assignment would not make a member. */
function setOwn(target: { [key: string]: MutableJson }, name: string, value: MutableJson): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}

/** Compiles a JSON body with a parser for its texts. */
export function compileJson(value: JsonValue, toTemplate: (text: string) => Template): JsonTemplate {
  if (typeof value === "string") return { kind: "text", template: toTemplate(value) };
  if (value === null || typeof value !== "object") return { kind: "literal", value };
  if (Array.isArray(value)) {
    return { kind: "list", items: value.map((item: JsonValue) => compileJson(item, toTemplate)) };
  }
  return {
    kind: "object",
    members: Object.entries(value).map(
      ([name, member]) => [name, compileJson(member as JsonValue, toTemplate)] as const,
    ),
  };
}
