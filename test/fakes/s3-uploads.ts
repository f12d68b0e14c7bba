/**
 * Uploads in parts of the fake of Amazon S3.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html read 2026-11.
 */
import { createHash } from "node:crypto";
import { type FakeBucket, type FakeBuckets, printCrc32c } from "./fake-objects.ts";
import type { FakeAnswer, FakeRequest } from "./fault-server.ts";
import { escapeXml, s3Error, xml } from "./s3-answers.ts";
import { metadataOf, refuseChecksum, refuseCondition } from "./s3-objects.ts";

/** Every part but the last. */
const partBytesMin = 5 * 1024 * 1024;

type Upload = {
  readonly bucket: FakeBucket;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly parts: Map<number, Readonly<{ body: Buffer; etag: string }>>;
};

export class S3Uploads {
  readonly #buckets: FakeBuckets;
  readonly #uploads = new Map<string, Upload>();
  #count = 0;

  constructor(buckets: FakeBuckets) {
    this.#buckets = buckets;
  }

  get size(): number {
    return this.#uploads.size;
  }

  begin(bucket: FakeBucket, key: string, { headers }: FakeRequest): FakeAnswer {
    const id = `fake-upload-${++this.#count}`;
    const metadata = metadataOf(headers);
    this.#uploads.set(id, { bucket, key, metadata, contentType: headers["content-type"], parts: new Map() });
    return xml(
      200,
      `<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>${bucket.name}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }

  handle(request: FakeRequest): FakeAnswer {
    const id = request.query.get("uploadId") ?? "";
    const upload = this.#uploads.get(id);
    if (upload === undefined) {
      return s3Error(request, 404, "NoSuchUpload", "The specified multipart upload does not exist.");
    }
    if (request.method === "DELETE") {
      this.#uploads.delete(id);
      return { status: 204 };
    }
    if (request.method === "PUT") return putPart(upload, request);
    return this.#complete(id, upload, request);
  }

  #complete(id: string, upload: Upload, request: FakeRequest): FakeAnswer {
    const text = request.body.toString("utf8");
    const named = [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = ""]) => ({
      number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
      etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? "").replaceAll("&quot;", '"'),
    }));
    const parts = named.map(({ number, etag }) => {
      const part = upload.parts.get(number);
      return part?.etag === etag ? part : undefined;
    });
    if (parts.length === 0 || parts.includes(undefined)) {
      return s3Error(request, 400, "InvalidPart", "One or more of the specified parts could not be found.");
    }
    const whole = parts.map((part) => part!.body);
    if (whole.slice(0, -1).some((part) => part.length < partBytesMin)) {
      return s3Error(
        request,
        400,
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
      );
    }
    const refusal = refuseCondition(upload.bucket, upload.key, request);
    if (refusal !== undefined) return refusal;
    const body = Buffer.concat(whole);
    const said = request.headers["x-amz-checksum-crc32c"];
    if (said !== undefined && said !== printCrc32c(body)) {
      return s3Error(
        request,
        400,
        "BadDigest",
        "The CRC32C you specified did not match the calculated checksum.",
      );
    }
    const object = this.#buckets.store(upload.bucket, {
      key: upload.key,
      body,
      contentType: upload.contentType,
      metadata: upload.metadata,
      etag: `"${createHash("md5").update(body).digest("hex")}-${whole.length}"`,
    });
    this.#uploads.delete(id);
    return xml(
      200,
      `<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>${upload.bucket.name}</Bucket><Key>${escapeXml(upload.key)}</Key><ETag>${escapeXml(object.etag)}</ETag><ChecksumCRC32C>${object.crc32c}</ChecksumCRC32C><ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>`,
    );
  }
}

function putPart(upload: Upload, request: FakeRequest): FakeAnswer {
  const refusal = refuseChecksum(request);
  if (refusal !== undefined) return refusal;
  const etag = `"${createHash("md5").update(request.body).digest("hex")}"`;
  upload.parts.set(Number(request.query.get("partNumber")), { body: request.body, etag });
  return { status: 200, headers: { etag, "x-amz-checksum-crc32c": printCrc32c(request.body) } };
}
