/** `/datasets` and what is below it that tells of a dataset instead of giving its rows. */
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import type { VersionEntry } from "../ports/dataset-query.ts";
import { chooseFormat } from "./answer-format.ts";
import { type ApiAnswer, headerOf } from "./api-answer.ts";
import type { ApiAsk } from "./api-ask.ts";
import { QueryReader } from "./api-parameter.ts";
import { toBytes } from "./column-value.ts";
import { type DatasetView, shortVersionLength, type ViewColumn } from "./dataset-view.ts";
import { partName } from "./export-answer.ts";
import { answerUnchanged, finishAnswer, tagAnswer } from "./finish-answer.ts";
import type { PackedColumn } from "./packed-column.ts";
import { parseQueryString } from "./query-string.ts";
import { tableFormats } from "./rows-answer.ts";
import type { ServeContext } from "./serve-context.ts";

/** A JSON document as an answer. `version`: what changes with it. */
export function answerDocument(
  context: ServeContext,
  ask: ApiAsk,
  version: string,
  document: () => JsonValue,
): ApiAnswer | Promise<ApiAnswer> {
  const format = chooseFormat(ask.ending, headerOf(ask.request, "accept"), ["json"]);
  const tagged = tagAnswer(ask, context.apiTag, version, format);
  const unchanged = answerUnchanged(ask, tagged);
  if (unchanged !== undefined) return unchanged;
  new QueryReader(parseQueryString(ask.query)).end([]);
  return finishAnswer(ask, tagged, toBytes(`${JSON.stringify(document())}\n`), { cache: context.cache });
}

/** Files of lineage that are told one by one; of more only the number is. */
const lineageFilesMax = 500;

/** `/datasets/{name}`. Of the lineage what strangers may know: neither tenants nor queries nor addresses. */
export function describeDataset(view: DatasetView): JsonObject {
  const { manifest } = view;
  const { schema, lineage } = manifest;
  const base = `/datasets/${encodeURIComponent(view.dataset)}`;
  const files = lineage.files.map(({ name, sha256, rows }) => ({ name, sha256, rows }));
  return {
    ...summarize(view),
    ...(view.isHead && { loading: true }),
    key: schema.key,
    sort: schema.sort,
    columns: view.columns.map((column) => describeColumn(view, column)),
    freshness: { builtAt: manifest.builtAt, newest: newestOf(view) },
    lineage: {
      fileCount: files.length,
      files: files.slice(0, lineageFilesMax),
      streams: [...new Set(lineage.streams.map(({ stream }) => stream))],
      code: lineage.code?.version ?? null,
      leat: lineage.leat,
    },
    quality: manifest.rules.map(({ name, rule, severity, isPassed, checked, failed }) => ({
      name,
      rule,
      severity,
      isPassed,
      checked,
      failed,
    })),
    parts: manifest.parts.map(({ rows, bytes, sha256 }, at) => ({
      url: `/v/${view.short}${base}/parts/${partName(at)}.parquet`,
      rows,
      bytes,
      sha256,
    })),
    links: {
      rows: `${base}/rows`,
      facets: `${base}/facets`,
      aggregate: `${base}/aggregate`,
      versions: `${base}/versions`,
      permanent: `/v/${view.short}${base}`,
      exports: Object.fromEntries(tableFormats.map((format) => [format, `${base}/export.${format}`])),
    },
  };
}

/** How far the data reach: the newest value of each column of dates or times, where it is known. */
function newestOf(view: DatasetView): JsonObject {
  const known = view.columns.flatMap(({ name, packed }): [string, JsonValue][] => {
    const { max } = extentOf(packed);
    const isTime = packed.kind.type === "date" || packed.kind.type.startsWith("timestamp");
    return isTime && max !== null && max !== undefined ? [[name, max]] : [];
  });
  return Object.fromEntries(known);
}

/** A dataset in the list of all. */
export function summarize({ dataset, manifest, short }: DatasetView): JsonObject {
  return {
    name: dataset,
    description: manifest.schema.description,
    licence: manifest.schema.licence,
    version: manifest.version,
    shortVersion: short,
    rowCount: manifest.rowCount,
    columnCount: manifest.schema.columns.length,
    builtAt: manifest.builtAt,
    url: `/datasets/${encodeURIComponent(dataset)}`,
  };
}

function describeColumn({ isHead }: DatasetView, { published, packed }: ViewColumn): JsonObject {
  const { name, type, isNullable, description, unit, examples } = published;
  return {
    name,
    type,
    isNullable,
    description,
    unit,
    examples,
    nullCount: isHead ? null : packed.nullCount,
    ...extentOf(packed),
  };
}

/** How many values there are, the least and the greatest; of a column without codes neither is known. */
function extentOf(column: PackedColumn): JsonObject {
  if (column.codes === undefined) return { distinctCount: null, min: null, max: null };
  const distinctCount = column.nullCode;
  if (distinctCount === 0 || column.kind.type === "json") return { distinctCount, min: null, max: null };
  const valueAt = (code: number): JsonValue =>
    JSON.parse(Buffer.from(column.fragmentOf(code), "latin1").toString("utf8")) as JsonValue; // Fragments are JSON.
  return { distinctCount, min: valueAt(0), max: valueAt(distinctCount - 1) };
}

/** `/datasets/{name}/versions`, newest first. */
export function describeVersions(dataset: string, versions: readonly VersionEntry[]): JsonObject {
  return {
    dataset,
    versions: versions.map(({ version, seq, rowCount, builtAt, isKept }) => {
      const short = version.slice(0, shortVersionLength);
      const url = `/v/${short}/datasets/${encodeURIComponent(dataset)}`;
      return {
        version,
        shortVersion: short,
        number: seq,
        rowCount,
        builtAt,
        isKept,
        url: isKept ? url : null,
      };
    }),
  };
}
