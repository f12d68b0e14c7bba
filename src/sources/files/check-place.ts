/** Checks where a stream's files are found: a page, a listing, a folder or a bucket. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { isTemplate, parseTemplate, type Template } from "../http/template.ts";
import {
  checkMembers,
  type FaultPath,
  type Faults,
  listWords,
  strictObject,
} from "../stream-declaration/faults.ts";
import { compilePatterns, patternsSchema } from "./compile-patterns.ts";
import type { FilePlaceDeclaration, ListingDeclaration, PageDeclaration } from "./files-declaration.ts";
import type { ListingPlan } from "./listing-reader.ts";
import type { PagePlan } from "./page-reader.ts";
import { addressFault } from "./web-client.ts";

/** Where files are found, compiled. */
export type FilePlace =
  | PagePlan
  | ListingPlan
  | Readonly<{ kind: "folder"; path: Template }>
  | Readonly<{ kind: "bucket"; url: Template }>;

const kinds: readonly (keyof FilePlaceDeclaration)[] = ["page", "listing", "folder", "bucket"];

/** Pages of a site that belong together; a publisher's archive of fifty years. */
const pagesDefault = 50;
/** Pages of a listing: ten thousand files at a hundred a page. */
const listingPagesDefault = 100;

const text = z.string({ error: () => "write a text" }).min(1);
const path = z.string({ error: () => "write a dotted path" }).min(1);
const count = z.int().min(1).max(10_000);

const pageMembers = {
  url: z.union([text, z.custom<() => string | Promise<string>>((value) => typeof value === "function")]),
  id: z.enum(["address", "path"]).optional(),
  follow: patternsSchema.optional(),
  pagesMax: count.default(pagesDefault),
  text: z
    .union([text, z.instanceof(RegExp)], { error: () => "name a field, or write a regular expression" })
    .optional(),
} as const satisfies Record<keyof PageDeclaration, z.ZodType>;

const listingMembers = {
  url: text,
  records: path.optional(),
  address: path,
  id: path.optional(),
  name: path.optional(),
  modified: path.optional(),
  etag: path.optional(),
  fields: z.record(z.string(), path).default({}),
  next: z
    .union([z.literal("link"), strictObject({ path })], { error: () => `write "link" or { path: "…" }` })
    .optional(),
  pagesMax: count.default(listingPagesDefault),
} as const satisfies Record<keyof ListingDeclaration, z.ZodType>;

/** Checks the place; with faults the result is only good for finding more of them. */
export function checkPlace(
  faults: Faults,
  at: FaultPath,
  declared: { readonly [Kind in keyof FilePlaceDeclaration]?: unknown },
): FilePlace {
  const given = kinds.filter((kind) => declared[kind] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const said = given.length === 0 ? "is nowhere" : `has ${listWords(given).replace(" or ", " and ")}`;
    faults.add(at, `${said}; say where its files are by one of ${listWords(kinds)}`);
    return { kind: "folder", path: [] };
  }
  const path = [...at, kind];
  const input = declared[kind];
  switch (kind) {
    case "page":
      return checkPage(faults, path, input);
    case "listing":
      return checkListing(faults, path, input);
    case "folder":
      return {
        kind,
        path: input instanceof URL ? folderOfUrl(faults, path, input) : compile(faults, path, input),
      };
    case "bucket":
      return { kind, url: compile(faults, path, input) };
  }
}

function checkPage(faults: Faults, path: FaultPath, input: unknown): PagePlan {
  const members = typeof input === "string" ? { url: input } : input;
  const {
    url,
    id = "address",
    follow = [],
    pagesMax = pagesDefault,
    text: said,
  } = checkMembers(faults, path, members, pageMembers);
  return {
    kind: "page",
    url:
      typeof url === "function"
        ? url
        : compileAddress(faults, typeof input === "string" ? path : [...path, "url"], url),
    id,
    follow: compilePatterns(faults, [...path, "follow"], follow, false),
    pagesMax,
    text: said instanceof RegExp ? new RegExp(said.source, said.flags.replaceAll(/[gy]/g, "")) : said,
  };
}

function checkListing(faults: Faults, path: FaultPath, input: unknown): ListingPlan {
  const checked = checkMembers(faults, path, input, listingMembers);
  return {
    kind: "listing",
    url: compileAddress(faults, [...path, "url"], checked.url),
    records: checked.records,
    address: checked.address ?? "",
    id: checked.id,
    name: checked.name,
    modified: checked.modified,
    etag: checked.etag,
    fields: checked.fields ?? {},
    next: checked.next,
    pagesMax: checked.pagesMax ?? listingPagesDefault,
  };
}

function compileAddress(faults: Faults, path: FaultPath, address: string | undefined): Template {
  if (address === undefined) return [];
  const template = compile(faults, path, address);
  // An address that begins with a tenant's field is looked at when a tenant is opened.
  const fault =
    typeof template[0] === "string"
      ? addressFault(template.map((part) => (typeof part === "string" ? part : "x")).join(""))
      : undefined;
  if (fault !== undefined) faults.add(path, `${JSON.stringify(address)} ${fault}`);
  return template;
}

/** Only what the tenant has may stand in a place: files are found once, not once for each value of something. */
function compile(faults: Faults, path: FaultPath, input: unknown): Template {
  if (typeof input !== "string" || input === "") {
    faults.add(path, "write a text");
    return [];
  }
  const parsed = parseTemplate(input);
  const parts = isTemplate(parsed) ? parsed : [];
  if (parts.some((part) => typeof part === "object" && "secret" in part)) {
    faults.add(path, "an address is shown in messages; send the secret by `auth` or in a header");
  } else if (!isTemplate(parsed) || parts.some((part) => typeof part === "object" && "value" in part)) {
    faults.add(
      path,
      `${JSON.stringify(input)} can hold {tenant.<field>} alone; fields such as {year} belong into \`match\``,
    );
  }
  return parts;
}

function folderOfUrl(faults: Faults, path: FaultPath, url: URL): Template {
  if (url.protocol === "file:") return [fileURLToPath(url)];
  faults.add(path, `${url.href} is no folder of this machine; use \`page\` or \`listing\``);
  return [];
}
