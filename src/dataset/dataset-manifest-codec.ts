/** Entries of a dataset's log as JSON text and back, checked on the way in: they may be years old, or edited by hand. */
import { z } from "zod";
import { LeatError } from "../errors/leat-error.ts";
import { type DatasetManifest, datasetFormatVersion } from "../model/dataset-manifest.ts";
import type { JsonObject, JsonValue } from "../model/json-value.ts";

const count = z.int().min(0);
const optionalText = z.string().nullable();
const json = z.json() as z.ZodType<JsonValue>; // The same but for being readonly.
const jsonObject = z.record(z.string(), json) as z.ZodType<JsonObject>;

const partSchema = z.object({ key: z.string(), rows: count, bytes: count, sha256: z.string() });

const manifestSchema = z.object({
  formatVersion: z.literal(datasetFormatVersion),
  dataset: z.string(),
  seq: z.int().min(1),
  version: z.string().regex(/^[0-9a-f]{64}$/),
  buildId: z.string(),
  schema: z.object({
    description: z.string(),
    licence: optionalText,
    columns: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        isNullable: z.boolean(),
        description: optionalText,
        unit: optionalText,
        examples: z.array(json),
      }),
    ),
    key: z.array(z.string()),
    sort: z.array(z.string()),
    tenantColumn: optionalText,
  }),
  rowCount: count,
  parts: z.array(partSchema),
  layouts: z.object({ key: z.string(), bytes: count, sha256: z.string() }).nullable(),
  lineage: z.object({
    files: z.array(
      z.object({
        stream: z.string(),
        tenant: z.string(),
        id: z.string(),
        name: z.string(),
        sha256: z.string(),
        seq: count,
        row: count,
        tidyRows: count,
        rows: count,
      }),
    ),
    streams: z.array(z.object({ stream: z.string(), tenant: z.string(), seq: count })),
    datasets: z.array(z.object({ dataset: z.string(), version: z.string() })),
    sql: optionalText,
    code: z.object({ sha256: z.string(), version: optionalText }).nullable(),
    reader: optionalText,
    declaration: z.string(),
    leat: z.string(),
  }),
  rules: z.array(
    z.object({
      name: z.string(),
      rule: z.string(),
      severity: z.enum(["error", "warn"]),
      isPassed: z.boolean(),
      checked: count,
      skipped: count,
      failed: count,
      note: optionalText,
      samples: z.array(jsonObject),
    }),
  ),
  restatement: z.object({
    restated: count,
    repeated: count,
    files: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        rows: count,
        added: count,
        restated: count,
        repeated: count,
      }),
    ),
    columns: z.record(z.string(), count),
    samples: z.array(
      z.object({
        key: jsonObject,
        column: z.string(),
        before: json,
        after: json,
        from: z.string(),
        to: z.string(),
      }),
    ),
  }),
  builtAt: z.string(),
});

/** One JSON document. */
export const encodeDatasetManifest = (manifest: DatasetManifest): Uint8Array =>
  Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`, "utf8");

/**
 * Reads an entry.
 *
 * @throws {@link LeatError} `MANIFEST_INVALID` naming the object and what is wrong with it.
 */
export function decodeDatasetManifest(bytes: Uint8Array, key: string): DatasetManifest {
  const refuse = (what: string, cause: unknown): LeatError =>
    new LeatError("MANIFEST_INVALID", { message: `The manifest ${key} ${what}.`, details: { key }, cause });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw refuse("is not JSON", cause);
  }
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw refuse(
    `is wrong at ${issue?.path.join(".") || "its root"}: ${issue?.message ?? "unknown"}`,
    result.error,
  );
}
