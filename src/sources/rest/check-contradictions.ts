/** Finds options of a REST stream that are each right by themselves and cannot be meant together. */
import type { RecordSelector } from "../../model/record-selector.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { ValueName } from "../http/template.ts";
import type { CheckedCursor } from "../stream-declaration/check-cursor.ts";
import type { FaultPath, Faults } from "../stream-declaration/faults.ts";
import { canPrefetch, envelopePaths, hasEnvelope, isCounted, type Pagination } from "./check-pagination.ts";
import type { ParameterPlace } from "./pagination-declaration.ts";
import type { ParamValue } from "./rest-declaration.ts";

/** What a stream sends of its own. */
export type SentDeclaration = Readonly<{
  path?: string;
  params?: Readonly<Record<string, ParamValue>>;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
}>;

/** A path that leaves the base would send the credential elsewhere. */
export function checkPath(faults: Faults, path: FaultPath, declared: string): void {
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

export function checkPaging(
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
    if (spec.primaryKey.length === 0) {
      faults.add(
        [...path, "stability"],
        `"overlap" needs a primaryKey: what is read again is told by its key`,
      );
    }
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
export function checkUses(
  faults: Faults,
  path: FaultPath,
  uses: ReadonlyMap<ValueName, FaultPath>,
  cursor: CheckedCursor | undefined,
  pagination: Pagination | undefined,
  spec: StreamSpec,
): void {
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
export function checkPlaces(
  faults: Faults,
  path: FaultPath,
  checked: SentDeclaration &
    Readonly<{ sort?: { param: string; in?: "query" | "body" | undefined } | undefined }>,
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

export function checkFailedWhen(faults: Faults, path: FaultPath, declared: unknown): void {
  if (typeof declared !== "object" || declared === null) return;
  const tests = ["equals", "notEquals", "exists"].filter((name) => name in declared);
  if (tests.length !== 1) faults.add(path, "needs exactly one of `equals`, `notEquals` and `exists`");
}
