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
  const page: string[] = [];
  let isTruncated = false;
  for (const key of bucket.objects.keysOf(prefix, after)) {
    if (key === after) continue;
    isTruncated = page.length === countMax;
    if (isTruncated) break;
    page.push(key);
  }
  const contents = page.map((key) => {
    const object = bucket.objects.get(key)!;
    // Whole seconds, as the vendor tells.
    const time = new Date(Math.floor(object.createdAtMs / 1000) * 1000).toISOString();
    return `<Contents><Key>${escapeXml(key)}</Key><LastModified>${time}</LastModified><ETag>${escapeXml(object.etag)}</ETag><Size>${object.body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const next = isTruncated
    ? `<NextContinuationToken>${Buffer.from(page.at(-1)!).toString("base64")}</NextContinuationToken>`
    : "";
  return xml(
    200,
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket.name}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${countMax}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`,
  );
}
