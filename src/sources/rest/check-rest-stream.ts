/** Checks one declared REST stream, its contradictions included, and compiles it. */
import { z } from "zod";
import type { JsonValue } from "../../model/json-value.ts";
import type { RecordSelector } from "../../model/record-selector.ts";
import type { StreamSpec } from "../../model/stream.ts";
import { type CheckedBound, type CheckedCursor, checkCursor } from "../stream-declaration/check-cursor.ts";
import { selectorSchema, streamMembers, toStreamSpec } from "../stream-declaration/check-stream.ts";
import {
  checkMembers,
  type FaultPath,
  type Faults,
  oneOf,
  strictObject,
} from "../stream-declaration/faults.ts";
import {
  canPrefetch,
  checkPagination,
  defaultStability,
  envelopePaths,
  hasEnvelope,
  isCounted,
  type Pagination,
} from "./check-pagination.ts";
import { type BodyTemplate, compileJson, type Endpoint, type TemplateParam } from "./endpoint.ts";
import type { ParameterPlace } from "./pagination-declaration.ts";
import type { FailedWhen, ParamValue, RestStreamDeclaration } from "./rest-declaration.ts";
import { isTemplate, parseTemplate, type Template, usedValues, type ValueName } from "./template.ts";

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
    checked.stability ?? defaultStability(page, cursor?.end !== undefined, checked.sort !== undefined);
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
  checkUses(faults, path, compiler, cursor, pagination, spec);
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

type Checked = Readonly<{
  path?: string;
  params?: Readonly<Record<string, ParamValue>>;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
}>;

function compileEndpoint(
  compiler: TemplateCompiler,
  path: FaultPath,
  method: "GET" | "POST",
  checked: Checked,
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

/** A path that leaves the base would send the credential elsewhere. */
function checkPath(faults: Faults, path: FaultPath, declared: string): void {
  if (/^[a-z][a-z0-9+.-]*:/i.test(declared) || declared.startsWith("//")) {
    faults.add(path, `${JSON.stringify(declared)} leaves the base URL; write only what follows it`);
  } else if (
    declared.split("/").some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment)) ||
    declared.includes("\\")
  ) {
    faults.add(
      path,
      `${JSON.stringify(declared)} may leave the base URL; write it without "." and ".." segments`,
    );
  } else if (/[?#]/.test(declared)) {
    faults.add(path, "has a query or fragment; write it in `params`");
  }
}

function checkPaging(
  faults: Faults,
  path: FaultPath,
  pagination: Pagination,
  stream: Readonly<{
    spec: StreamSpec;
    selector: RecordSelector;
    concurrency: number;
    hasSort: boolean;
    hasEnd: boolean;
  }>,
): void {
  const { spec, selector, concurrency, hasSort, hasEnd } = stream;
  if (!hasEnvelope(selector)) {
    for (const [name, value] of Object.entries(envelopePaths(pagination))) {
      faults.add(
        [...path, "pagination", name],
        `"${value}" cannot be read: with these \`records\` the answer has nothing beside them`,
      );
    }
  }
  if (spec.stability === "overlap") {
    if (pagination.type !== "offset") faults.add([...path, "stability"], `"overlap" needs offset pagination`);
    if (!hasSort)
      faults.add(
        [...path, "stability"],
        `"overlap" needs a \`sort\`: pages can only overlap in a total order`,
      );
  }
  if (spec.stability === "settled") {
    if (!hasEnd)
      faults.add([...path, "stability"], `"settled" needs \`cursor.end\`: an open range never settles`);
    if (!canPrefetch(pagination))
      faults.add(
        [...path, "stability"],
        `"settled" needs a total to compare (\`totalPath\` or \`totalPagesPath\`)`,
      );
  }
  if (concurrency > 1) {
    if (!canPrefetch(pagination)) {
      faults.add(
        [...path, "concurrency"],
        "needs numbered pages with a total: otherwise a page is only known from the one before",
      );
    } else if (spec.stability === "overlap") {
      faults.add(
        [...path, "concurrency"],
        "cannot be combined with overlapping pages, which are checked one by one",
      );
    }
  }
}

/** Placeholders without what they name, and what is declared without being sent. */
function checkUses(
  faults: Faults,
  path: FaultPath,
  compiler: TemplateCompiler,
  cursor: CheckedCursor | undefined,
  pagination: Pagination | undefined,
  spec: StreamSpec,
): void {
  const { uses } = compiler;
  const usedAt = (value: ValueName) => uses.get(value);
  for (const side of ["start", "end"] as const) {
    const at = usedAt(`cursor.${side}`);
    const bound = cursor?.[side];
    const boundPath = [...path, "cursor", side];
    if (at !== undefined && bound === undefined)
      faults.add(at, `{cursor.${side}} needs \`cursor.${side}\`, if only {}`);
    if (bound === undefined) continue;
    if (bound.param === undefined && at === undefined) {
      faults.add(
        boundPath,
        `names no \`param\`, and no template holds {cursor.${side}}: it would not be sent`,
      );
    }
    if (bound.param !== undefined && at !== undefined) {
      faults.add(boundPath, `is sent twice: as "${bound.param}" and in ${at.map(String).join(".")}`);
    }
    if (bound.param === undefined && bound.in !== undefined)
      faults.add([...boundPath, "in"], "needs `param`");
  }
  const partitionAt = usedAt("partition");
  if (partitionAt !== undefined && spec.partitions === undefined) {
    faults.add(partitionAt, "{partition} needs `partitions` or a `parent`");
  }
  if (partitionAt === undefined && spec.partitions !== undefined) {
    const member = spec.partitions.from === "tenant" ? "partitions" : "parent";
    faults.add([...path, member], "no template holds {partition}: every request would be the same");
  }
  if (pagination === undefined) return;
  const wanted = "value" in pagination ? pagination : undefined;
  for (const value of ["page", "offset", "token"] as const) {
    const at = usedAt(value);
    if (at !== undefined && wanted?.value !== value)
      faults.add(at, `{${value}} is not a value of the pagination "${pagination.type}"`);
  }
  if (wanted !== undefined) {
    const at = usedAt(wanted.value);
    if (wanted.param === undefined && at === undefined) {
      faults.add(
        [...path, "pagination"],
        `names no \`param\`, and no template holds {${wanted.value}}: every page would be the first`,
      );
    }
    if (wanted.param !== undefined && at !== undefined) {
      faults.add(
        [...path, "pagination", "param"],
        `is sent twice: as "${wanted.param}" and in ${at.map(String).join(".")}`,
      );
    }
  }
  const sizeAt = usedAt("size");
  if (sizeAt !== undefined && !(isCounted(pagination) && pagination.size !== undefined)) {
    faults.add(sizeAt, "{size} needs the pagination's size of a page");
  }
}

/** Parameters that would be sent twice, or in a body that is not sent. */
function checkPlaces(
  faults: Faults,
  path: FaultPath,
  checked: Checked & Readonly<{ sort?: { param: string; in?: "query" | "body" | undefined } | undefined }>,
  method: "GET" | "POST",
  cursor: CheckedCursor | undefined,
  pagination: Pagination,
): void {
  const place = method === "GET" ? "query" : "body";
  const sent: { at: FaultPath; name: string; in: ParameterPlace }[] = [];
  const add = (at: FaultPath, name: string | undefined, where: ParameterPlace) => {
    if (name !== undefined) sent.push({ at, name, in: where });
  };
  add([...path, "cursor", "start"], cursor?.start?.param, cursor?.start?.in ?? place);
  add([...path, "cursor", "end"], cursor?.end?.param, cursor?.end?.in ?? place);
  add([...path, "sort"], checked.sort?.param, checked.sort?.in ?? place);
  if ("param" in pagination) add([...path, "pagination"], pagination.param, pagination.in);
  if (isCounted(pagination))
    add([...path, "pagination"], pagination.sizeParam, pagination.in === "header" ? place : pagination.in);
  const body = checked.body as { form?: object; json?: unknown } | undefined; // Already checked.
  const members = body?.form ?? (typeof body?.json === "object" && body.json !== null ? body.json : {});
  const own = { query: checked.params ?? {}, body: members, header: checked.headers ?? {} };
  const seen = new Map<string, FaultPath>();
  for (const { at, name, in: where } of sent) {
    if (where === "body" && method === "GET")
      faults.add(at, `"${name}" is to go into a body; use method "POST"`);
    if (Object.hasOwn(own[where], name))
      faults.add(at, `"${name}" is also written in the request itself; leave one out`);
    const other = seen.get(`${where} ${name}`);
    if (other !== undefined)
      faults.add(at, `"${name}" is also the parameter of ${other.slice(path.length).map(String).join(".")}`);
    seen.set(`${where} ${name}`, at);
  }
}

function checkFailedWhen(faults: Faults, path: FaultPath, declared: unknown): void {
  if (typeof declared !== "object" || declared === null) return;
  const tests = ["equals", "notEquals", "exists"].filter((name) => name in declared);
  if (tests.length !== 1) faults.add(path, "needs exactly one of `equals`, `notEquals` and `exists`");
}

function toBound(bound: CheckedBound | undefined, place: ParameterPlace): BoundParameter | undefined {
  return bound?.param === undefined ? undefined : { param: bound.param, in: bound.in ?? place };
}
