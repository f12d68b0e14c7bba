/** Objects of the fake of Amazon S3: conditions, checksums, ranges. */
import {
  type FakeBucket,
  type FakeBuckets,
  type FakeObject,
  parseRange,
  printCrc32c,
} from "./fake-objects.ts";
import type { FakeAnswer, FakeRequest } from "./fault-server.ts";
import { s3Error } from "./s3-answers.ts";

/**
 * Conditions of a write or delete, `undefined` when they hold.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: If-Match on an object that is not
 *   there is 404, on another entity tag 412.
 */
export function refuseCondition(
  bucket: FakeBucket,
  key: string,
  request: FakeRequest,
): FakeAnswer | undefined {
  const object = bucket.objects.get(key);
  const { "if-none-match": noneMatch, "if-match": match } = request.headers;
  if (noneMatch !== undefined && noneMatch !== "*") {
    return s3Error(request, 501, "NotImplemented", "If-None-Match of a write takes * only.");
  }
  if (noneMatch === "*" && object !== undefined) return failed(request);
  if (match === undefined) return undefined;
  if (object === undefined) return s3Error(request, 404, "NoSuchKey", "The specified key does not exist.");
  return match === "*" || match === object.etag ? undefined : failed(request);
}

const failed = (request: FakeRequest): FakeAnswer =>
  s3Error(
    request,
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
  );

/** User metadata: headers of this beginning. */
export const metadataOf = (headers: FakeRequest["headers"]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith("x-amz-meta-") ? [[name.slice("x-amz-meta-".length), value ?? ""]] : [],
    ),
  );

/** A checksum that was sent along and does not fit what came. */
export function refuseChecksum(request: FakeRequest): FakeAnswer | undefined {
  const said = request.headers["x-amz-checksum-crc32c"];
  if (said === undefined || said === printCrc32c(request.body)) return undefined;
  return s3Error(
    request,
    400,
    "BadDigest",
    "The CRC32C you specified did not match the calculated checksum.",
  );
}

export function putObject(
  buckets: FakeBuckets,
  bucket: FakeBucket,
  key: string,
  request: FakeRequest,
): FakeAnswer {
  const refusal = refuseCondition(bucket, key, request) ?? refuseChecksum(request);
  if (refusal !== undefined) return refusal;
  const object = buckets.store(bucket, {
    key,
    body: request.body,
    contentType: request.headers["content-type"],
    metadata: metadataOf(request.headers),
  });
  const { "x-amz-checksum-crc32c": said } = request.headers;
  return {
    status: 200,
    headers: { etag: object.etag, ...(said === undefined ? {} : checksumHeaders(object)) },
  };
}

const checksumHeaders = (object: FakeObject): Readonly<Record<string, string>> => ({
  "x-amz-checksum-crc32c": object.crc32c,
  "x-amz-checksum-type": "FULL_OBJECT",
});

/** GET, HEAD and DELETE. */
export function answerObject(bucket: FakeBucket, key: string, request: FakeRequest): FakeAnswer {
  const { method, headers } = request;
  const object = bucket.objects.get(key);
  if (method === "DELETE") {
    // Without a condition it succeeds whether there is an object or not.
    const refusal = refuseCondition(bucket, key, request);
    if (refusal === undefined) bucket.objects.delete(key);
    return refusal ?? { status: 204 };
  }
  if (method !== "GET" && method !== "HEAD") return s3Error(request, 405, "MethodNotAllowed", "Not allowed");
  if (object === undefined) return s3Error(request, 404, "NoSuchKey", "The specified key does not exist.");
  const { "if-match": match, "if-none-match": noneMatch } = headers;
  if (match !== undefined && match !== "*" && match !== object.etag) return failed(request);
  if (noneMatch !== undefined && (noneMatch === "*" || noneMatch === object.etag)) return { status: 304 };
  const range = parseRange(headers["range"], object.body.length);
  if (range === "unsatisfiable") {
    return s3Error(request, 416, "InvalidRange", "The requested range is not satisfiable");
  }
  const body = range === undefined ? object.body : object.body.subarray(range.from, range.to + 1);
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      etag: object.etag,
      "last-modified": new Date(object.createdAtMs).toUTCString(),
      "content-type": object.contentType,
      "content-length": String(body.length),
      "accept-ranges": "bytes",
      ...(range === undefined
        ? {}
        : { "content-range": `bytes ${range.from}-${range.to}/${object.body.length}` }),
      ...Object.fromEntries(
        Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
      ),
      // A range has no checksum of its own.
      ...(headers["x-amz-checksum-mode"] === "ENABLED" && range === undefined ? checksumHeaders(object) : {}),
    },
    body: method === "HEAD" ? "" : body,
  };
}
