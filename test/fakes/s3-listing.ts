/** Listings of the fake of Amazon S3. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
import type { FakeBucket } from "./fake-objects.ts";
import type { FakeAnswer } from "./fault-server.ts";
import { escapeXml, xml } from "./s3-answers.ts";

/** The most that a page has. */
const pageCountMax = 1000;

export function listObjectsV2(bucket: FakeBucket, query: URLSearchParams): FakeAnswer {
  const prefix = query.get("prefix") ?? "";
  const countMax = Math.min(Number(query.get("max-keys") ?? pageCountMax), pageCountMax);
  const token = query.get("continuation-token");
  const after =
    token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64").toString("utf8");
  const delimiter = query.get("delimiter") ?? "";
  const page: string[] = [];
  const folders = new Set<string>();
  let [last, isTruncated] = ["", false];
  for (const key of bucket.objects.keysOf(prefix, after)) {
    if (key === after) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const folder = at < 0 ? undefined : key.slice(0, at + delimiter.length);
    if (folder === undefined || !folders.has(folder)) {
      isTruncated = page.length + folders.size === countMax;
      if (isTruncated) break;
      if (folder === undefined) page.push(key);
      else folders.add(folder);
    }
    last = key;
  }
  const contents = page.map((key) => {
    const object = bucket.objects.get(key)!;
    // Whole seconds, as the vendor tells.
    const time = new Date(Math.floor(object.createdAtMs / 1000) * 1000).toISOString();
    return `<Contents><Key>${escapeXml(key)}</Key><LastModified>${time}</LastModified><ETag>${escapeXml(object.etag)}</ETag><Size>${object.body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const next = isTruncated
    ? `<NextContinuationToken>${Buffer.from(last).toString("base64")}</NextContinuationToken>`
    : "";
  const common = [...folders].map(
    (folder) => `<CommonPrefixes><Prefix>${escapeXml(folder)}</Prefix></CommonPrefixes>`,
  );
  return xml(
    200,
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket.name}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length + folders.size}</KeyCount><MaxKeys>${countMax}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join("")}${common.join("")}</ListBucketResult>`,
  );
}
