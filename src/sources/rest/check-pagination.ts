/** Checks a declared pagination. */

import { z } from "zod";
import { nearestName } from "../../errors/nearest-name.ts";
import type { RecordSelector } from "../../model/record-selector.ts";
import type { Stability } from "../../model/stream.ts";
import type { ValueName } from "../http/template.ts";
import { checkMembers, type FaultPath, type Faults, listWords, oneOf } from "../stream-declaration/faults.ts";
import type { PaginationDeclaration, ParameterPlace } from "./pagination-declaration.ts";

/** A pagination with every default filled in. `value` is what templates call it. */
export type Pagination =
  | Readonly<{ type: "single" }>
  | Readonly<{ type: "linkHeader"; rel: string }>
  | Readonly<{ type: "nextUrl"; path: string }>
  | (Sent &
      Readonly<{
        type: "cursorToken";
        path: string | undefined;
        header: string | undefined;
        hasMorePath: string | undefined;
      }>)
  | CountedPagination
  | (Sent & Readonly<{ type: "lastId"; field: string; hasMorePath: string | undefined }>);

/** Pages or records by number. `first` is the first page's number, or offset 0. */
export type CountedPagination = Sent &
  Readonly<{
    type: "pageNumber" | "offset";
    first: number;
    size: number | undefined;
    sizeParam: string | undefined;
    totalPath: string | undefined;
    totalPagesPath: string | undefined;
    hasMorePath: string | undefined;
    endsWhenShort: boolean;
  }>;

export type Sent = Readonly<{ param: string | undefined; in: ParameterPlace; value: ValueName }>;

const text = z.string().min(1).optional();
const size = z.int().min(1).optional();
const sent = { param: text, in: oneOf(["query", "body", "header"]).optional() };
const counted = { totalPath: text, hasMorePath: text, endsWhenShort: z.boolean().default(false) };
const type = z.string();

const members = {
  single: { type },
  linkHeader: { type, rel: z.string().min(1).default("next") },
  nextUrl: { type, path: z.string({ error: () => "name the path of the next page's address" }).min(1) },
  cursorToken: { type, ...sent, path: text, header: text, hasMorePath: text },
  pageNumber: {
    type,
    ...sent,
    ...counted,
    first: z.int().min(0).default(1),
    size,
    sizeParam: text,
    totalPagesPath: text,
  },
  offset: { type, ...sent, ...counted, limit: size, limitParam: text },
  lastId: {
    type,
    ...sent,
    field: z.string({ error: () => "name the field of the last record" }).min(1),
    hasMorePath: text,
  },
} as const satisfies Record<PaginationDeclaration["type"], Record<string, z.ZodType>>;

const types = Object.keys(members) as PaginationDeclaration["type"][]; // Just made of these names.

/** Checks `pagination` of a stream; `undefined` when a fault leaves it unclear. */
export function checkPagination(
  faults: Faults,
  path: FaultPath,
  input: unknown,
  method: "GET" | "POST",
): Pagination | undefined {
  const declared =
    typeof input === "object" && input !== null ? (input as { type?: unknown }).type : undefined;
  const kind = types.find((each) => each === declared);
  if (kind === undefined) {
    const near = typeof declared === "string" ? nearestName(declared, types) : undefined;
    const what = declared === undefined ? "say how pages follow" : `${JSON.stringify(declared)} is not known`;
    faults.add(
      [...path, "type"],
      `${what}; ${near === undefined ? `use ${listWords(types)}` : `did you mean "${near}"?`}`,
    );
    return undefined;
  }
  const before = faults.list.length;
  const pagination = complete(faults, path, kind, input, method === "GET" ? "query" : "body");
  return faults.list.length === before ? pagination : undefined;
}

function complete(
  faults: Faults,
  path: FaultPath,
  kind: PaginationDeclaration["type"],
  input: unknown,
  place: ParameterPlace,
): Pagination {
  switch (kind) {
    case "single":
      checkMembers(faults, path, input, members.single);
      return { type: kind };
    case "linkHeader":
      return { type: kind, rel: checkMembers(faults, path, input, members.linkHeader).rel ?? "next" };
    case "nextUrl":
      return { type: kind, path: checkMembers(faults, path, input, members.nextUrl).path ?? "" };
    case "cursorToken": {
      const checked = checkMembers(faults, path, input, members.cursorToken);
      if ((checked.path === undefined) === (checked.header === undefined)) {
        faults.add(path, "name either the `path` of the token in the body or the `header` that holds it");
      }
      const { path: tokenPath, header, hasMorePath } = checked;
      return { type: kind, path: tokenPath, header, hasMorePath, ...toSent(checked, place, "token") };
    }
    case "pageNumber": {
      const { first = 1, ...checked } = checkMembers(faults, path, input, members.pageNumber);
      if (checked.sizeParam !== undefined && checked.size === undefined)
        faults.add([...path, "sizeParam"], "needs `size`");
      return {
        type: kind,
        first,
        size: checked.size,
        sizeParam: checked.sizeParam,
        totalPagesPath: checked.totalPagesPath,
        ...toCounted(faults, path, checked, checked.size),
        ...toSent(checked, place, "page"),
      };
    }
    case "offset": {
      const checked = checkMembers(faults, path, input, members.offset);
      if (checked.limitParam !== undefined && checked.limit === undefined)
        faults.add([...path, "limitParam"], "needs `limit`");
      return {
        type: kind,
        first: 0,
        size: checked.limit,
        sizeParam: checked.limitParam,
        totalPagesPath: undefined,
        ...toCounted(faults, path, checked, checked.limit),
        ...toSent(checked, place, "offset"),
      };
    }
    case "lastId": {
      const { field = "", hasMorePath, ...checked } = checkMembers(faults, path, input, members.lastId);
      return { type: kind, field, hasMorePath, ...toSent(checked, place, "token") };
    }
  }
}

function toSent(
  checked: { param?: string | undefined; in?: ParameterPlace | undefined },
  place: ParameterPlace,
  value: ValueName,
): Sent {
  return { param: checked.param, in: checked.in ?? place, value };
}

function toCounted(
  faults: Faults,
  path: FaultPath,
  checked: { totalPath?: string | undefined; hasMorePath?: string | undefined; endsWhenShort?: boolean },
  pageSize: number | undefined,
): Pick<CountedPagination, "totalPath" | "hasMorePath" | "endsWhenShort"> {
  const { totalPath, hasMorePath, endsWhenShort = false } = checked;
  if (endsWhenShort && pageSize === undefined) {
    faults.add([...path, "endsWhenShort"], "needs the size of a page: otherwise nobody knows what is short");
  }
  return { totalPath, hasMorePath, endsWhenShort };
}

/** The members of a pagination that are read out of an answer's body. */
export function envelopePaths(pagination: Pagination): Readonly<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const name of ["path", "hasMorePath", "totalPath", "totalPagesPath"] as const) {
    const value: unknown = name in pagination ? pagination[name as keyof Pagination] : undefined;
    if (typeof value === "string") paths[name] = value;
  }
  return paths;
}

/** Whether an answer with these records has anything beside them. */
export function hasEnvelope(selector: RecordSelector): boolean {
  return (
    selector.form === "json" &&
    selector.steps[0] !== "each" &&
    !(selector.isSingle && selector.steps.length === 0)
  );
}

/** Pages that are known in advance once the first has told how many there are. */
export function canPrefetch(pagination: Pagination): pagination is CountedPagination {
  return isCounted(pagination) && (pagination.totalPath ?? pagination.totalPagesPath) !== undefined;
}

export function isCounted(pagination: Pagination): pagination is CountedPagination {
  return pagination.type === "pageNumber" || pagination.type === "offset";
}

/**
 * The stability of a stream that declares none (I16): links, tokens and last ids do not shift; numbered pages do, unless
 * the range has an end and a total to compare, or pages can be made to overlap: a total order and keys to tell repeats by.
 */
export function defaultStability(pagination: Pagination, hasEnd: boolean, canOverlap: boolean): Stability {
  if (!isCounted(pagination)) return "trusted";
  if (hasEnd && canPrefetch(pagination)) return "settled";
  return pagination.type === "offset" && canOverlap ? "overlap" : "passes";
}
