/**
 * Google Cloud Storage's JSON API on loopback, as far as leat and loaders use it: inserts (media, multipart, resumable),
 * reads (whole, ranges, generations), listings, deletes, preconditions on every verb, checksums.
 *
 * Pages followed, read 2026-11:
 * - objects: https://cloud.google.com/storage/docs/json_api/v1/objects
 * - preconditions: https://cloud.google.com/storage/docs/request-preconditions
 * - resumable uploads: https://cloud.google.com/storage/docs/performing-resumable-uploads
 * - errors: https://cloud.google.com/storage/docs/json_api/v1/status-codes
 */
import { type FakeBucket, FakeBuckets, type FakeObject, parseRange } from "./fake-objects.ts";
import { type FakeAnswer, type FakeRequest, type FaultServer, startFaultServer } from "./fault-server.ts";
import { gcsError, json } from "./gcs-answers.ts";
import { listObjects } from "./gcs-listing.ts";
import { insertObject, isConditionMet, metageneration, resourceOf } from "./gcs-objects.ts";
import { GcsSessions } from "./gcs-sessions.ts";

export type FakeGcs = FaultServer &
  Readonly<{
    buckets: FakeBuckets;
    /** Resumable sessions that have neither ended nor been cancelled. */
    openSessions: () => number;
    /** Has the next answers say no: `undefined` for yes. Each word is a permission that is missing. */
    deny: (permission: string | undefined) => void;
  }>;

/** How the fake behaves where the vendor's pages leave it open. */
export type FakeGcsOptions = Readonly<{
  /** Whether a resumable session is refused at once when its precondition does not hold. Both have been seen. */
  checksAtInitiation?: boolean;
  /** How many bytes of a piece are kept at most, a multiple of 256 KiB, so that clients must go on in the middle. */
  keptBytesMax?: number;
  /** Begins with what another one held. */
  saved?: FakeBuckets;
}>;

export async function startFakeGcs(options: FakeGcsOptions = {}): Promise<FakeGcs> {
  const buckets = options.saved?.copy() ?? new FakeBuckets();
  const sessions = new GcsSessions(buckets, options);
  let denied: string | undefined;
  const handle = (request: FakeRequest): FakeAnswer => {
    if (denied !== undefined) {
      const text = `leat@example.iam.gserviceaccount.com does not have ${denied} access to the Google Cloud Storage object. Permission '${denied}' denied on resource (or it may not exist).`;
      return gcsError(403, "forbidden", text);
    }
    return route(buckets, sessions, options, request);
  };
  const server = await startFaultServer({
    handle,
    verbOf,
    refusal: (status) =>
      status === 429
        ? gcsError(
            429,
            "rateLimitExceeded",
            "The object exceeded the rate limit for object mutation operations.",
          )
        : gcsError(503, "backendError", "We encountered an internal error. Please try again."),
  });
  return {
    ...server,
    buckets,
    openSessions: () => sessions.size,
    deny: (permission) => {
      denied = permission;
    },
  };
}

const objectPath = /^(?:\/download)?\/storage\/v1\/b\/([^/]+)\/o\/([^/]+)$/;
const listPath = /^\/storage\/v1\/b\/([^/]+)\/o$/;
const bucketPath = /^\/storage\/v1\/b\/([^/]+)$/;
const uploadPath = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/;

function verbOf({ method, path, query }: FakeRequest): string {
  if (uploadPath.test(path)) {
    if (query.has("upload_id")) return method === "DELETE" ? "cancel" : "piece";
    return query.get("uploadType") === "resumable" ? "begin" : "insert";
  }
  if (listPath.test(path)) return "list";
  if (method === "DELETE") return "delete";
  return query.get("alt") === "media" ? "read" : "stat";
}

function route(
  buckets: FakeBuckets,
  sessions: GcsSessions,
  options: FakeGcsOptions,
  request: FakeRequest,
): FakeAnswer {
  const { path, query, method } = request;
  const [, name = "", key = ""] =
    (objectPath.exec(path) ?? listPath.exec(path) ?? uploadPath.exec(path) ?? bucketPath.exec(path))?.map(
      (part) => decodeURIComponent(part),
    ) ?? [];
  if (uploadPath.test(path) && query.has("upload_id")) return sessions.handle(request);
  const bucket = buckets.get(name);
  if (bucket === undefined) return gcsError(404, "notFound", "The specified bucket does not exist.");
  if (uploadPath.test(path)) {
    if (query.get("uploadType") !== "resumable") return insertObject(buckets, bucket, request);
    const target = bucket.objects.get(query.get("name") ?? "");
    if (options.checksAtInitiation === true && !isConditionMet(target, query)) return conditionNotMet();
    return sessions.begin(bucket, request);
  }
  if (listPath.test(path)) return listObjects(bucket, query);
  if (objectPath.test(path)) return answerObject(bucket, key, request);
  if (method === "GET") return json(200, { kind: "storage#bucket", name, location: bucket.location });
  return gcsError(404, "notFound", "Not Found");
}

const conditionNotMet = (): FakeAnswer =>
  gcsError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");

function answerObject(bucket: FakeBucket, key: string, request: FakeRequest): FakeAnswer {
  const { method, query } = request;
  const object = bucket.objects.get(key);
  const asked = query.get("generation");
  const isThere = object !== undefined && (asked === null || asked === String(object.generation));
  if (!isThere) {
    return query.get("alt") === "media"
      ? {
          status: 404,
          headers: { "content-type": "text/html" },
          body: `No such object: ${bucket.name}/${key}`,
        }
      : gcsError(404, "notFound", `No such object: ${bucket.name}/${key}`);
  }
  if (!isConditionMet(object, query)) {
    // A read that is not to be repeated is told so by 304, anything else by 412.
    const isUnchanged = method === "GET" && query.get("ifGenerationNotMatch") === String(object.generation);
    return isUnchanged ? { status: 304 } : conditionNotMet();
  }
  if (method === "DELETE") {
    bucket.objects.delete(key);
    return { status: 204 };
  }
  if (method !== "GET") return gcsError(405, "methodNotAllowed", "The specified method is not allowed.");
  return query.get("alt") === "media" ? answerMedia(object, request) : json(200, resourceOf(bucket, object));
}

/** @see https://cloud.google.com/storage/docs/xml-api/reference-headers for the headers of downloads. */
function answerMedia(object: FakeObject, { headers: asked }: FakeRequest): FakeAnswer {
  const headers = {
    "content-type": object.contentType,
    "x-goog-generation": String(object.generation),
    "x-goog-metageneration": metageneration,
    "x-goog-hash": `crc32c=${object.crc32c},md5=${object.md5.toString("base64")}`,
    "x-goog-stored-content-length": String(object.body.length),
    "x-goog-stored-content-encoding": object.contentEncoding ?? "identity",
    ...(object.contentEncoding === undefined ? {} : { "content-encoding": object.contentEncoding }),
    "accept-ranges": "bytes",
  };
  const range = parseRange(asked["range"], object.body.length);
  if (range === "unsatisfiable") {
    return gcsError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
  }
  if (range === undefined) return { status: 200, headers, body: object.body };
  const { from, to } = range;
  const contentRange = `bytes ${from}-${to}/${object.body.length}`;
  return {
    status: 206,
    headers: { ...headers, "content-range": contentRange },
    body: object.body.subarray(from, to + 1),
  };
}
