/**
 * Amazon S3 on loopback, as far as leat and loaders use it: objects, ranges, listings, uploads in parts, conditions and
 * checksums. Signatures are not checked, only that there is one.
 *
 * Pages followed, read 2026-11:
 * - conditions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 * - uploads in parts: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 * - checksums: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 * - errors: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { FakeBuckets } from "./fake-objects.ts";
import { type FakeAnswer, type FakeRequest, type FaultServer, startFaultServer } from "./fault-server.ts";
import { s3Error } from "./s3-answers.ts";
import { listObjectsV2 } from "./s3-listing.ts";
import { answerObject, putObject } from "./s3-objects.ts";
import { S3Uploads } from "./s3-uploads.ts";

export type FakeS3 = FaultServer &
  Readonly<{
    buckets: FakeBuckets;
    /** Uploads in parts that have neither been completed nor aborted. */
    openUploads: () => number;
    /** Has every answer say this error from now on; `undefined`: none. */
    fail: (
      error: Readonly<{ status: number; code: string; headers?: Record<string, string> }> | undefined,
    ) => void;
    /** Has the next so many conditional writes meet another that is under way: 409. */
    conflict: (count: number) => void;
  }>;

export type FakeS3Options = Readonly<{
  /** Takes conditions and does not keep them, as some software that speaks S3. */
  ignoresConditions?: boolean;
}>;

export async function startFakeS3(options: FakeS3Options = {}): Promise<FakeS3> {
  const buckets = new FakeBuckets();
  const uploads = new S3Uploads(buckets);
  let failing: Readonly<{ status: number; code: string; headers?: Record<string, string> }> | undefined;
  let conflicts = 0;
  const handle = (given: FakeRequest): FakeAnswer => {
    if (failing !== undefined) {
      const answer = s3Error(given, failing.status, failing.code, "as the test has it");
      return { ...answer, headers: { ...answer.headers, ...failing.headers } };
    }
    if (!(given.headers["authorization"] ?? "").startsWith("AWS4-HMAC-SHA256 ")) {
      return s3Error(given, 403, "AccessDenied", "Access Denied");
    }
    const isConditional =
      given.headers["if-none-match"] !== undefined || given.headers["if-match"] !== undefined;
    if (isConditional && conflicts > 0 && given.method !== "GET") {
      conflicts--;
      return s3Error(
        given,
        409,
        "ConditionalRequestConflict",
        "A conflicting operation occurred during the upload.",
      );
    }
    return withDate(
      route(buckets, uploads, options.ignoresConditions === true ? withoutConditions(given) : given),
    );
  };
  const server = await startFaultServer({
    handle,
    verbOf,
    refusal: (status) =>
      status === 429
        ? xmlError(429, "TooManyRequestsException", "Too many requests.")
        : xmlError(503, "SlowDown", "Please reduce your request rate."),
  });
  return {
    ...server,
    buckets,
    openUploads: () => uploads.size,
    fail: (error) => {
      failing = error;
    },
    conflict: (count) => {
      conflicts = count;
    },
  };
}

const xmlError = (status: number, code: string, message: string): FakeAnswer =>
  s3Error({ method: "GET", path: "/" }, status, code, message);

function verbOf({ method, path, query }: FakeRequest): string {
  if (query.has("uploads")) return "begin";
  if (query.has("uploadId")) {
    if (method === "PUT") return "piece";
    return method === "DELETE" ? "cancel" : "complete";
  }
  if (query.has("list-type")) return "list";
  const isBucket = path.split("/").filter((name) => name !== "").length < 2;
  const verbs: Readonly<Record<string, string>> = {
    PUT: "insert",
    GET: "read",
    HEAD: "stat",
    DELETE: "delete",
  };
  return isBucket ? "bucket" : (verbs[method] ?? method);
}

/** Path style: the bucket is the first name of the path. */
function route(buckets: FakeBuckets, uploads: S3Uploads, request: FakeRequest): FakeAnswer {
  const [, name = "", ...rest] = request.path.split("/");
  const key = decodeURIComponent(rest.join("/"));
  const bucket = buckets.get(decodeURIComponent(name));
  if (bucket === undefined)
    return s3Error(request, 404, "NoSuchBucket", "The specified bucket does not exist");
  const { method, query } = request;
  if (query.has("list-type")) return listObjectsV2(bucket, query);
  if (key === "")
    return method === "HEAD" ? { status: 200 } : s3Error(request, 501, "NotImplemented", "Not here");
  if (query.has("uploads")) return uploads.begin(bucket, key, request);
  if (query.has("uploadId")) return uploads.handle(request);
  return method === "PUT" ? putObject(buckets, bucket, key, request) : answerObject(bucket, key, request);
}

const withDate = (answer: FakeAnswer): FakeAnswer => ({
  ...answer,
  headers: { date: new Date().toUTCString(), "x-amz-request-id": "fake", ...answer.headers },
});

function withoutConditions(request: FakeRequest): FakeRequest {
  const { "if-match": _match, "if-none-match": _noneMatch, ...headers } = request.headers;
  return { ...request, headers };
}
