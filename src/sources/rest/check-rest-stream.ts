/** Checks one declared REST stream, its contradictions included, and compiles it. */
import { z } from "zod";
import type { JsonValue } from "../../model/json-value.ts";
import type { RecordSelector } from "../../model/record-selector.ts";
import type { StreamSpec } from "../../model/stream.ts";
import { isTemplate, parseTemplate, type Template, usedValues, type ValueName } from "../http/template.ts";
import { type CheckedBound, checkCursor } from "../stream-declaration/check-cursor.ts";
import { selectorSchema, streamMembers, toStreamSpec } from "../stream-declaration/check-stream.ts";
import {
  checkMembers,
  type FaultPath,
  type Faults,
  oneOf,
  strictObject,
} from "../stream-declaration/faults.ts";
import {
  checkFailedWhen,
  checkPaging,
  checkPath,
  checkPlaces,
  checkUses,
  type SentDeclaration,
} from "./check-contradictions.ts";
import { checkPagination, defaultStability, type Pagination } from "./check-pagination.ts";
import { type BodyTemplate, compileJson, type Endpoint, type TemplateParam } from "./endpoint.ts";
import type { ParameterPlace } from "./pagination-declaration.ts";
import type { FailedWhen, ParamValue, RestStreamDeclaration } from "./rest-declaration.ts";

/** A parameter that carries one end of a range. */
export type BoundParameter = Readonly<{ param: string; in: ParameterPlace }>;

/** A stream as the reader uses it. */
export type RestStream = Readonly<{
  spec: StreamSpec;
  selector: RecordSelector;
  endpoint: Endpoint;
  pagination: Pagination;
  start: BoundParameter | undefined;
  end: BoundParameter | undefined;
  sort: Readonly<{ name: string; in: ParameterPlace; value: string }> | undefined;
  concurrency: number;
  failedWhen: FailedWhen | undefined;
  emptyStatuses: readonly number[];
}>;

const paramScalar = z.union([z.string(), z.number(), z.boolean()]);
const paramValues = z.record(z.string(), z.union([paramScalar, z.array(paramScalar)]));

const members = {
  ...streamMembers,
  path: z.string({ error: () => "write the path behind the base URL" }),
  method: oneOf(["GET", "POST"]).default("GET"),
  params: paramValues.default({}),
  headers: z.record(z.string(), z.string()).default({}),
  body: z
    .union([strictObject({ json: z.json() }), strictObject({ form: paramValues })], {
      error: () => "write { json: … } or { form: { … } }",
    })
    .optional(),
  records: selectorSchema.default({ form: "json", steps: ["each"], isSingle: false }),
  cursor: z.unknown(),
  pagination: z.unknown(),
  sort: strictObject({
    param: z.string().min(1),
    value: z.string().min(1),
    in: oneOf(["query", "body"]).optional(),
    by: oneOf(["cursor", "key"]).optional(),
  }).optional(),
  concurrency: z.int().min(1).max(64).default(1),
  failedWhen: z
    .union([
      z.custom<Extract<FailedWhen, (...args: never[]) => unknown>>((input) => typeof input === "function"),
      strictObject({
        path: z.string().min(1),
        equals: z.json().optional(),
        notEquals: z.json().optional(),
        exists: z.boolean().optional(),
        messagePath: z.string().optional(),
      }),
    ])
    .optional(),
  emptyStatuses: z.array(z.int().min(300).max(499)).default([]),
} as const satisfies Record<keyof RestStreamDeclaration, z.ZodType>;

/** Checks a stream. The result is only used when the whole declaration has no fault. */
export function checkRestStream(
  faults: Faults,
  path: FaultPath,
  input: unknown,
  setting: Readonly<{ source: string; name: string; clockToleranceMs: number | undefined }>,
): RestStream {
  const checked = checkMembers(faults, path, input, members);
  const method = checked.method ?? "GET";
  const place = method === "GET" ? "query" : "body";
  const cursor =
    checked.cursor === undefined ? undefined : checkCursor(faults, [...path, "cursor"], checked.cursor, true);
  const pagination = checkPagination(faults, [...path, "pagination"], checked.pagination, method);
  const sortBy =
    checked.sort === undefined ? undefined : (checked.sort.by ?? (cursor === undefined ? "key" : "cursor"));
  if (sortBy === "cursor" && cursor === undefined)
    faults.add([...path, "sort", "by"], `"cursor" needs a cursor`);
  const page = pagination ?? { type: "single" };
  const stability =
    checked.stability ??
    defaultStability(
      page,
      cursor?.end !== undefined,
      checked.sort !== undefined && checked.primaryKey !== undefined,
    );
  const spec = toStreamSpec(faults, path, checked, {
    ...setting,
    cursor,
    isSorted: sortBy === "cursor",
    stability,
  });
  const compiler = new TemplateCompiler(faults);
  const endpoint = compileEndpoint(compiler, path, method, checked);
  const selector = checked.records ?? { form: "json", steps: ["each"], isSingle: false };
  checkPath(faults, [...path, "path"], checked.path ?? "");
  if (method === "GET" && checked.body !== undefined) faults.add([...path, "body"], `needs method "POST"`);
  if (pagination !== undefined) {
    checkPaging(faults, path, pagination, {
      spec,
      selector,
      concurrency: checked.concurrency ?? 1,
      hasSort: checked.sort !== undefined,
      hasEnd: cursor?.end !== undefined,
    });
  }
  checkUses(faults, path, compiler.uses, cursor, pagination, spec);
  checkPlaces(faults, path, checked, method, cursor, page);
  checkFailedWhen(faults, [...path, "failedWhen"], checked.failedWhen);
  return {
    spec,
    selector,
    endpoint,
    pagination: page,
    start: toBound(cursor?.start, place),
    end: toBound(cursor?.end, place),
    sort:
      checked.sort === undefined
        ? undefined
        : {
            name: checked.sort.param,
            value: checked.sort.value,
            in: checked.sort.in ?? place,
          },
    concurrency: checked.concurrency ?? 1,
    failedWhen: checked.failedWhen as FailedWhen | undefined, // zod adds `undefined` to what may be left out.
    emptyStatuses: checked.emptyStatuses ?? [],
  };
}

/** Compiles texts and remembers which values of a request they use, and where first. */
class TemplateCompiler {
  readonly uses = new Map<ValueName, FaultPath>();
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  compile(path: FaultPath, text: string, isReference = false): Template {
    const parsed = parseTemplate(text, isReference);
    if (!isTemplate(parsed)) {
      this.#faults.add(path, parsed.fault);
      return [];
    }
    for (const value of usedValues(parsed)) if (!this.uses.has(value)) this.uses.set(value, path);
    return parsed;
  }

  fault(path: FaultPath, message: string): void {
    this.#faults.add(path, message);
  }

  params(path: FaultPath, declared: Readonly<Record<string, ParamValue>>): TemplateParam[] {
    return Object.entries(declared).map(([name, value]) => ({
      name,
      values: [value].flat().map((each) => this.compile([...path, name], String(each))),
    }));
  }
}

function compileEndpoint(
  compiler: TemplateCompiler,
  path: FaultPath,
  method: "GET" | "POST",
  checked: SentDeclaration,
): Endpoint {
  const pathTemplate = compiler.compile([...path, "path"], checked.path ?? "");
  if (pathTemplate.some((part) => typeof part === "object" && "secret" in part)) {
    compiler.fault(
      [...path, "path"],
      "an address is shown in messages; send the secret by `auth` or in a header",
    );
  }
  return {
    method,
    path: pathTemplate,
    params: compiler.params([...path, "params"], checked.params ?? {}),
    headers: Object.entries(checked.headers ?? {}).map(
      ([name, text]) =>
        [name.toLowerCase(), compiler.compile([...path, "headers", name], text, true)] as const,
    ),
    body: compileBody(compiler, [...path, "body"], checked.body, method),
  };
}

function compileBody(
  compiler: TemplateCompiler,
  path: FaultPath,
  declared: unknown,
  method: "GET" | "POST",
): BodyTemplate | undefined {
  // Already checked: one of the two forms, or nothing.
  const body = declared as { json?: JsonValue; form?: Readonly<Record<string, ParamValue>> } | undefined;
  if (body?.form !== undefined)
    return { kind: "form", params: compiler.params([...path, "form"], body.form) };
  if (body?.json !== undefined) {
    return {
      kind: "json",
      json: compileJson(body.json, (text) => compiler.compile([...path, "json"], text)),
    };
  }
  // A POST that only sends leat's own parameters sends them as JSON, as most search endpoints want.
  return method === "POST" ? { kind: "json", json: { kind: "object", members: [] } } : undefined;
}

function toBound(bound: CheckedBound | undefined, place: ParameterPlace): BoundParameter | undefined {
  return bound?.param === undefined ? undefined : { param: bound.param, in: bound.in ?? place };
}
