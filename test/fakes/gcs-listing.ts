/** Listings of the fake of Google Cloud Storage. @see https://cloud.google.com/storage/docs/json_api/v1/objects/list */
import { compareKeys, type FakeBucket } from "./fake-objects.ts";
import type { FakeAnswer } from "./fault-server.ts";
import { json } from "./gcs-answers.ts";
import { resourceOf } from "./gcs-objects.ts";

/** The most that a page has, and what it has when nothing is said. */
const pageCountMax = 1000;

export function listObjects(bucket: FakeBucket, query: URLSearchParams): FakeAnswer {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const startOffset = query.get("startOffset") ?? "";
  const endOffset = query.get("endOffset");
  const countMax = Math.min(Number(query.get("maxResults") ?? pageCountMax), pageCountMax);
  const token = query.get("pageToken");
  const after = token === null ? undefined : Buffer.from(token, "base64").toString("utf8");
  const items: Readonly<Record<string, unknown>>[] = [];
  const prefixes = new Set<string>();
  let last: string | undefined;
  let hasMore = false;
  const from = after !== undefined && compareKeys(startOffset, after) < 0 ? after : startOffset;
  for (const key of bucket.objects.keysOf(prefix, from)) {
    if (key === after) continue;
    if (endOffset !== null && compareKeys(key, endOffset) >= 0) break;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const folder = at < 0 ? undefined : key.slice(0, at + delimiter.length);
    if (folder !== undefined && prefixes.has(folder)) {
      last = key;
      continue;
    }
    if (items.length + prefixes.size >= countMax) {
      hasMore = true;
      break;
    }
    if (folder === undefined) items.push(resourceOf(bucket, bucket.objects.get(key)!));
    else prefixes.add(folder);
    last = key;
  }
  const nextPageToken = hasMore && last !== undefined ? Buffer.from(last).toString("base64") : undefined;
  return json(200, {
    ...(query.has("fields") ? {} : { kind: "storage#objects" }),
    ...(nextPageToken === undefined || !wants(query, "nextPageToken") ? {} : { nextPageToken }),
    ...(prefixes.size === 0 || !wants(query, "prefixes") ? {} : { prefixes: [...prefixes] }),
    ...(items.length === 0 || !wants(query, "items")
      ? {}
      : { items: items.map((item) => pick(item, query)) }),
  });
}

/** A partial answer: only the fields that were named. */
const wants = (query: URLSearchParams, field: string): boolean =>
  (query.get("fields") ?? field).split(/[,()]/).includes(field);

function pick(
  item: Readonly<Record<string, unknown>>,
  query: URLSearchParams,
): Readonly<Record<string, unknown>> {
  const names = /items\(([^)]*)\)/.exec(query.get("fields") ?? "")?.[1]?.split(",");
  if (names === undefined) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}
