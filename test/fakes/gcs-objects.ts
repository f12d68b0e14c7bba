/** Objects of the fake of Google Cloud Storage: inserts in one request, preconditions and resources. */
import type { FakeBucket, FakeBuckets, FakeObject, NewObject } from "./fake-objects.ts";
import { printCrc32c } from "./fake-objects.ts";
import type { FakeAnswer, FakeRequest } from "./fault-server.ts";
import { gcsError, json } from "./gcs-answers.ts";

/** No object of the fake has its metadata edited. */
export const metageneration = "1";

/** @see https://cloud.google.com/storage/docs/request-preconditions: 0 stands for an object that is not there. */
export function isConditionMet(object: FakeObject | undefined, query: URLSearchParams): boolean {
  const generation = String(object?.generation ?? 0);
  const [match, notMatch] = [query.get("ifGenerationMatch"), query.get("ifGenerationNotMatch")];
  const metaMatch = query.get("ifMetagenerationMatch");
  const metaNotMatch = query.get("ifMetagenerationNotMatch");
  if (match !== null && match !== generation) return false;
  if (notMatch !== null && notMatch === generation) return false;
  if (metaMatch !== null && (object === undefined || metaMatch !== metageneration)) return false;
  return metaNotMatch === null || metaNotMatch !== metageneration;
}

/** An insert that has all its bytes: checks condition and checksums, then stores. */
export function completeInsert(
  buckets: FakeBuckets,
  bucket: FakeBucket,
  query: URLSearchParams,
  object: NewObject &
    Readonly<{ expected: Readonly<{ crc32c?: string | undefined; md5Hash?: string | undefined }> }>,
): FakeAnswer {
  if (!isConditionMet(bucket.objects.get(object.key), query)) {
    return gcsError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
  }
  const { expected, ...given } = object;
  const arrived = printCrc32c(object.body);
  if (expected.crc32c !== undefined && expected.crc32c !== arrived) {
    const text = `Provided CRC32C "${expected.crc32c}" doesn't match calculated CRC32C "${arrived}".`;
    return gcsError(400, "invalid", text);
  }
  const stored = buckets.store(bucket, given);
  if (expected.md5Hash !== undefined && expected.md5Hash !== stored.md5.toString("base64")) {
    bucket.objects.delete(object.key);
    return gcsError(
      400,
      "invalid",
      `Provided MD5 hash "${expected.md5Hash}" doesn't match calculated MD5 hash.`,
    );
  }
  return json(200, resourceOf(bucket, stored));
}

/** `uploadType=media` and `uploadType=multipart`. */
export function insertObject(buckets: FakeBuckets, bucket: FakeBucket, request: FakeRequest): FakeAnswer {
  const { query, headers, body } = request;
  const isMultipart = query.get("uploadType") === "multipart";
  const parts = isMultipart ? splitMultipart(headers["content-type"] ?? "", body) : undefined;
  if (isMultipart && parts === undefined) return gcsError(400, "badRequest", "Malformed multipart body.");
  const resource = (parts === undefined ? {} : JSON.parse(parts.resource.toString("utf8"))) as InsertResource; // As sent.
  const key = query.get("name") ?? resource.name;
  if (key === undefined || key === "") return gcsError(400, "required", "Required parameter: name");
  return completeInsert(buckets, bucket, query, {
    key,
    body: parts?.media ?? body,
    contentType: resource.contentType ?? parts?.mediaType ?? headers["content-type"],
    contentEncoding: resource.contentEncoding,
    metadata: resource.metadata,
    expected: resource,
  });
}

/** What a client may say of the object that it makes. */
export type InsertResource = Readonly<{
  name?: string;
  contentType?: string;
  contentEncoding?: string;
  crc32c?: string;
  md5Hash?: string;
  metadata?: Readonly<Record<string, string>>;
}>;

/** Two parts, the resource and the media. @see https://www.rfc-editor.org/rfc/rfc2387 */
function splitMultipart(
  contentType: string,
  body: Buffer,
): Readonly<{ resource: Buffer; media: Buffer; mediaType: string | undefined }> | undefined {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) return undefined;
  const delimiter = Buffer.from(`--${boundary}`);
  const starts: number[] = [];
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + 1)) starts.push(at);
  const [first, second] = starts;
  const end = starts.at(-1);
  if (first === undefined || second === undefined || end === undefined || starts.length !== 3)
    return undefined;
  const one = splitHead(body.subarray(first + delimiter.length, second));
  const two = splitHead(body.subarray(second + delimiter.length, end));
  if (one === undefined || two === undefined) return undefined;
  return {
    resource: one.content,
    media: two.content,
    mediaType: /content-type:\s*(\S+)/i.exec(two.head)?.[1],
  };
}

function splitHead(part: Buffer): Readonly<{ head: string; content: Buffer }> | undefined {
  const at = part.indexOf("\r\n\r\n");
  if (at < 0) return undefined;
  // The line break before the next delimiter belongs to it.
  return { head: part.subarray(0, at).toString("latin1"), content: part.subarray(at + 4, part.length - 2) };
}

/** @see https://cloud.google.com/storage/docs/json_api/v1/objects#resource */
export function resourceOf(bucket: FakeBucket, object: FakeObject): Readonly<Record<string, unknown>> {
  const time = new Date(object.createdAtMs).toISOString();
  return {
    kind: "storage#object",
    id: `${bucket.name}/${object.key}/${object.generation}`,
    name: object.key,
    bucket: bucket.name,
    generation: String(object.generation),
    metageneration,
    contentType: object.contentType,
    ...(object.contentEncoding === undefined ? {} : { contentEncoding: object.contentEncoding }),
    size: String(object.body.length),
    md5Hash: object.md5.toString("base64"),
    crc32c: object.crc32c,
    etag: Buffer.from(String(object.generation)).toString("base64"),
    timeCreated: time,
    updated: time,
    ...(Object.keys(object.metadata).length === 0 ? {} : { metadata: object.metadata }),
  };
}
