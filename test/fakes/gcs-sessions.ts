/**
 * Resumable uploads of the fake of Google Cloud Storage.
 *
 * @see https://cloud.google.com/storage/docs/performing-resumable-uploads read 2026-11.
 */
import type { FakeBucket, FakeBuckets } from "./fake-objects.ts";
import type { FakeAnswer, FakeRequest } from "./fault-server.ts";
import { gcsError } from "./gcs-answers.ts";
import { completeInsert, type InsertResource } from "./gcs-objects.ts";

/** Pieces but the last are multiples of this. */
const pieceUnit = 256 * 1024;

type Session = {
  readonly bucket: FakeBucket;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly resource: InsertResource;
  readonly contentType: string | undefined;
  body: Buffer;
  /** What the last piece was answered; a session answers the same for a while afterwards. */
  done: FakeAnswer | undefined;
};

export class GcsSessions {
  readonly #buckets: FakeBuckets;
  readonly #keptBytesMax: number;
  readonly #sessions = new Map<string, Session>();
  #count = 0;

  constructor(buckets: FakeBuckets, options: Readonly<{ keptBytesMax?: number }>) {
    this.#buckets = buckets;
    this.#keptBytesMax = options.keptBytesMax ?? Number.POSITIVE_INFINITY;
  }

  /** Sessions that may still become objects. */
  get size(): number {
    return [...this.#sessions.values()].filter(({ done }) => done === undefined).length;
  }

  begin(bucket: FakeBucket, { query, headers, body, origin }: FakeRequest): FakeAnswer {
    const resource = (body.length === 0 ? {} : JSON.parse(body.toString("utf8"))) as InsertResource; // As sent.
    const key = query.get("name") ?? resource.name;
    if (key === undefined || key === "") return gcsError(400, "required", "Required parameter: name");
    const id = `fake-session-${++this.#count}`;
    const contentType = headers["x-upload-content-type"] ?? resource.contentType;
    this.#sessions.set(id, {
      bucket,
      key,
      query,
      resource,
      contentType,
      body: Buffer.alloc(0),
      done: undefined,
    });
    const location = `${origin}/upload/storage/v1/b/${bucket.name}/o?uploadType=resumable&name=${encodeURIComponent(key)}&upload_id=${id}`;
    return { status: 200, headers: { location, "x-guploader-uploadid": id } };
  }

  handle(request: FakeRequest): FakeAnswer {
    const id = request.query.get("upload_id") ?? "";
    const session = this.#sessions.get(id);
    if (session === undefined) return gcsError(404, "notFound", "Not Found");
    if (request.method === "DELETE") {
      this.#sessions.delete(id);
      return { status: 499 };
    }
    return session.done ?? this.#take(id, session, request);
  }

  #take(id: string, session: Session, { headers, body }: FakeRequest): FakeAnswer {
    const said = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers["content-range"] ?? "");
    if (said === null) return gcsError(400, "badRequest", "Failed to parse Content-Range header.");
    const [, first, last, total = "*"] = said;
    if (first !== undefined) {
      const from = Number(first);
      if (Number(last) - from + 1 !== body.length) {
        return gcsError(400, "badRequest", "Content-Range does not fit the bytes that were sent.");
      }
      // Bytes that are there already are passed over; a gap cannot be filled.
      if (from > session.body.length) return gcsError(503, "backendError", "Bytes before these are missing.");
      if (total === "*" && body.length % pieceUnit !== 0) {
        return gcsError(400, "badRequest", "A piece that is not the last must be a multiple of 256 KiB.");
      }
      const fresh = body.subarray(session.body.length - from);
      session.body = Buffer.concat([session.body, fresh.subarray(0, this.#keptBytesMax)]);
    }
    if (total === "*" || session.body.length < Number(total)) return resumeIncomplete(session.body.length);
    const hash = /crc32c=([A-Za-z0-9+/=]+)/.exec(headers["x-goog-hash"] ?? "")?.[1];
    const answer = completeInsert(this.#buckets, session.bucket, session.query, {
      key: session.key,
      body: session.body,
      contentType: session.contentType,
      contentEncoding: session.resource.contentEncoding,
      metadata: session.resource.metadata,
      expected: { ...session.resource, ...(hash === undefined ? {} : { crc32c: hash }) },
    });
    if (answer.status === 200) session.done = answer;
    else this.#sessions.delete(id);
    return answer;
  }
}

/** Without a range nothing has been kept yet. */
const resumeIncomplete = (bytes: number): FakeAnswer => ({
  status: 308,
  headers: bytes === 0 ? {} : { range: `bytes=0-${bytes - 1}` },
});
