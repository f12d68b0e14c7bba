/** Manifests as JSON text and back, checked on the way in: they may be years old, or edited by hand. */
import { z } from "zod";
import { LeatError } from "../errors/leat-error.ts";
import type { ColumnKinds } from "../model/column-kinds.ts";
import { toRunId, toTenantId } from "../model/ids.ts";
import { type Manifest, manifestFormatVersion } from "../model/manifest.ts";

const count = z.int().min(0);
const cursor = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt)
  .nullable()
  .transform((value) => value ?? undefined);
const optionalText = z
  .string()
  .nullable()
  .transform((value) => value ?? undefined);

const partSchema = z.strictObject({
  key: z.string(),
  bytes: count,
  plainBytes: count,
  records: count,
  crc32c: z.string(),
  exactColumns: z.array(z.string()),
});
const fileSchema = z.strictObject({ key: z.string(), bytes: count, crc32c: z.string() });
const rawFileSchema = fileSchema.extend({ sha256: z.string() });
const partitionSchema = z.strictObject({ cursor, scannedTo: cursor, next: cursor, since: cursor });

const columnsSchema = z
  .array(z.tuple([z.string(), count, count, count, z.boolean()]))
  .transform(
    (rows) =>
      new Map<string, ColumnKinds>(
        rows.map(([key, kinds, intDigitsMax, scaleMax, hasExactNumbers]) => [
          key,
          { kinds, intDigitsMax, scaleMax, hasExactNumbers },
        ]),
      ),
  );

const manifestSchema = z.object({
  formatVersion: z.literal(manifestFormatVersion),
  source: z.string(),
  stream: z.string(),
  tenant: z.string().transform(toTenantId),
  seq: z.int().min(1),
  runId: z.string().transform(toRunId),
  previousDataSeq: count,
  kind: z.enum(["data", "empty", "state-edit", "closed", "forget"]),
  idempotencyKey: optionalText,
  isFinal: z.boolean(),
  generation: z.strictObject({
    number: count,
    state: z.enum(["visible", "open", "completed"]),
    runId: optionalText.transform((id) => (id === undefined ? undefined : toRunId(id))),
  }),
  visible: z.strictObject({ number: count, records: count }),
  before: partitionSchema,
  state: z.strictObject({
    main: partitionSchema,
    partitionCount: count,
    boundaryCount: count,
    fileCount: count.optional(),
    inline: optionalText,
    file: fileSchema.nullable().transform((value) => value ?? undefined),
  }),
  isOrdered: z.boolean(),
  doneKeys: z.array(z.string()),
  parentSeq: count,
  parts: z.array(partSchema),
  quarantine: z.array(partSchema),
  files: z.array(rawFileSchema).optional(),
  columns: columnsSchema,
  counts: z.strictObject({
    received: count,
    landed: count,
    boundarySkipped: count,
    repeated: count,
    quarantined: count,
    restated: count,
    unusableCursor: count,
  }),
  tenantColumn: z.string(),
  partitionColumn: optionalText,
  sourceClockMs: z
    .number()
    .nullable()
    .transform((value) => value ?? undefined),
  startedAt: z.string(),
  committedAt: z.string(),
  edit: z
    .strictObject({
      who: z.string(),
      at: z.string(),
      why: z.string(),
      landedBefore: z.enum(["missing", "again"]),
    })
    .nullable()
    .transform((value) => value ?? undefined),
  forgets: z.array(count),
});

/** One JSON document, cursors as text (they pass 2^53), `undefined` as `null`, columns as rows. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const columns = [...manifest.columns].map(([key, seen]) => [
    key,
    seen.kinds,
    seen.intDigitsMax,
    seen.scaleMax,
    seen.hasExactNumbers,
  ]);
  const text = JSON.stringify({ ...manifest, columns }, nullsAndBigInts, 1);
  return Buffer.from(`${text}\n`, "utf8");
}

function nullsAndBigInts(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, member ?? null]));
}

/**
 * Reads a manifest.
 *
 * @throws {@link LeatError} `MANIFEST_INVALID` naming the object and what is wrong with it.
 */
export function decodeManifest(bytes: Uint8Array, key: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new LeatError("MANIFEST_INVALID", {
      message: `The manifest ${key} is not JSON.`,
      details: { key },
      cause,
    });
  }
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new LeatError("MANIFEST_INVALID", {
    message: `The manifest ${key} is wrong at ${issue?.path.join(".") || "its root"}: ${issue?.message ?? "unknown"}.`,
    details: { key },
    cause: result.error,
  });
}
