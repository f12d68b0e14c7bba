/** Checks a declared source of files at once, all faults together, and compiles it. */
import { z } from "zod";
import type { SourceTenants } from "../../model/source-tenants.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { FileLimits } from "../../ports/source.ts";
import { type Access, accessMembers, checkOrigins, toAccess } from "../http/check-access.ts";
import {
  checkBetweenStreams,
  checkName,
  streamMembers,
  toStreamSpec,
} from "../stream-declaration/check-stream.ts";
import { deepFreeze } from "../stream-declaration/deep-freeze.ts";
import { checkMembers, type FaultPath, Faults, strictObject } from "../stream-declaration/faults.ts";
import { sourceTenantsSchema } from "../stream-declaration/source-tenants.ts";
import { checkPlace, type FilePlace } from "./check-place.ts";
import { compilePatterns, patternsSchema, showPatterns } from "./compile-patterns.ts";
import type { FileChoice } from "./file-choice.ts";
import type { FileStreamDeclaration, FilesDeclaration } from "./files-declaration.ts";

/** A stream as its reader uses it. */
export type FileStream = Readonly<{
  spec: StreamSpec;
  place: FilePlace;
  choice: FileChoice;
  limits: FileLimits;
}>;

/** A declaration as readers use it: complete and compiled. */
export type FilesPlan = Readonly<{
  name: string;
  tenants: SourceTenants | undefined;
  access: Access;
  userAgent: string | undefined;
  allowedOrigins: readonly string[];
  streams: readonly FileStream[];
}>;

/** Publishers' servers are small, and nobody waits for yesterday's figures. */
const concurrencyDefault = 1;
/** Beyond every spreadsheet, and room enough on a laptop's disk. */
const fileBytesMaxDefault = 1024 * 1024 * 1024;
/** A file an hour for eleven years; the state of as many is some ten megabytes. */
const filesMaxDefault = 100_000;

const members = {
  name: z.string({ error: () => "name the source" }),
  tenants: sourceTenantsSchema,
  ...accessMembers,
  userAgent: z
    .string()
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, { error: () => "must be plain letters on one line" })
    .optional(),
  allowedOrigins: z.array(z.string()).default([]),
  streams: z.record(z.string(), z.unknown(), { error: () => "name at least one stream" }),
} as const satisfies Record<keyof FilesDeclaration, z.ZodType>;

const count = z.int().min(1);

const streamMember = {
  page: z.unknown(),
  listing: z.unknown(),
  folder: z.unknown(),
  bucket: z.unknown(),
  match: patternsSchema.optional(),
  exclude: patternsSchema.optional(),
  concurrency: z.int().min(1).max(64).default(concurrencyDefault),
  fileBytesMax: count.default(fileBytesMaxDefault),
  filesMax: count.default(filesMaxDefault),
  landingTable: streamMembers.landingTable,
  materialize: streamMembers.materialize,
  bounds: strictObject({
    checkpointBytes: count.optional(),
    runMsMax: z.number().min(0).optional(),
  }).default({}),
} as const satisfies Record<keyof FileStreamDeclaration, z.ZodType>;

/**
 * Checks and compiles.
 *
 * @throws LeatError `CONFIG_INVALID` with every fault and its path.
 */
export function checkFiles(declaration: FilesDeclaration): FilesPlan {
  const faults = new Faults();
  const checked = checkMembers(faults, [], declaration, members);
  const name = checked.name ?? "";
  if (checked.name !== undefined) checkName(faults, ["name"], name);
  const allowedOrigins = checkOrigins(faults, checked.allowedOrigins ?? []);
  const declared = Object.entries(checked.streams ?? {});
  if (declared.length === 0 && checked.streams !== undefined)
    faults.add(["streams"], "name at least one stream");
  const streams = declared.map(([stream, input]) => {
    checkName(faults, ["streams", stream], stream);
    return checkStream(faults, ["streams", stream], input, { source: name, name: stream });
  });
  // Who declares that files are fetched at once has said how many requests there may be.
  const concurrency = Math.max(concurrencyDefault, ...streams.map((stream) => stream.limits.concurrency));
  const access = toAccess(faults, checked, concurrency);
  checkBetweenStreams(
    faults,
    streams.map((stream) => stream.spec),
    declared.map(([stream]) => stream),
  );
  faults.throwIfAny(`The source ${JSON.stringify(name)}`);
  const { tenants, userAgent } = checked;
  return deepFreeze({ name, tenants, access, userAgent, allowedOrigins, streams });
}

function checkStream(
  faults: Faults,
  path: FaultPath,
  input: unknown,
  names: Readonly<{ source: string; name: string }>,
): FileStream {
  const checked = checkMembers(faults, path, input, streamMember);
  const place = checkPlace(faults, path, checked);
  const isPath = place.kind === "folder" || place.kind === "bucket";
  if (place.kind === "page" && checked.match === undefined && faults.list.length === 0) {
    faults.add([...path, "match"], "say which links are files: a page has many others");
  }
  const { landingTable, materialize, bounds } = checked;
  const shared = {
    primaryKey: "file",
    writeDisposition: "merge",
    columns,
    landingTable,
    materialize,
    bounds,
  } as const;
  return {
    spec: toStreamSpec(faults, path, shared, {
      ...names,
      cursor: undefined,
      isSorted: false,
      stability: "trusted",
      clockToleranceMs: undefined,
    }),
    place,
    choice: {
      match: compilePatterns(faults, [...path, "match"], checked.match ?? [], isPath),
      exclude: compilePatterns(faults, [...path, "exclude"], checked.exclude ?? [], isPath),
      shown: showPatterns(checked.match ?? []),
    },
    limits: {
      concurrency: checked.concurrency ?? concurrencyDefault,
      fileBytesMax: checked.fileBytesMax ?? fileBytesMaxDefault,
      filesMax: checked.filesMax ?? filesMaxDefault,
    },
  };
}

/** Types of the record's columns: they are leat's own, and some are null until a publisher says something. */
const columns: StreamSpec["columns"] = {
  file: { type: "text" },
  name: { type: "text" },
  url: { type: "text" },
  fields: { type: "json" },
  version: { type: "bigint" },
  fetched_at: { type: "timestamptz" },
  last_modified: { type: "timestamptz" },
  etag: { type: "text" },
  content_type: { type: "text" },
  bytes: { type: "bigint" },
  sha256: { type: "text" },
  object_key: { type: "text" },
};
