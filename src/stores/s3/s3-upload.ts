/**
 * A multipart upload whose completion creates the object only if there is none.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html read 2026-11.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import type { BucketUpload, StoredObject } from "../bucket/bucket-client.ts";
import { BucketFailure } from "../bucket/bucket-failure.ts";
import { addCrc32c, parseCrc32c, printCrc32c } from "../bucket/crc32c.ts";
import { toS3Failure } from "./s3-failure.ts";

/** What names an upload. */
type UploadName = Readonly<{ Bucket: string; Key: string; UploadId: string }>;

/** The most parts that an upload may have. */
const partsMax = 10_000;

export class S3Upload implements BucketUpload {
  readonly #sdk: typeof import("@aws-sdk/client-s3");
  readonly #client: S3Client;
  readonly #name: UploadName;
  readonly #mark: string;
  readonly #parts: Readonly<{ PartNumber: number; ETag: string; ChecksumCRC32C: string }>[] = [];
  #isLastSent = false;

  constructor(sdk: typeof import("@aws-sdk/client-s3"), client: S3Client, name: UploadName, mark: string) {
    this.#sdk = sdk;
    this.#client = client;
    this.#name = name;
    this.#mark = mark;
  }

  /** Sending a part again replaces it. */
  async send(piece: Uint8Array, abortSignal: AbortSignal): Promise<void> {
    const PartNumber = this.#parts.length + 1;
    if (PartNumber > partsMax) throw new BucketFailure("refused", `an object has at most ${partsMax} parts`);
    const ChecksumCRC32C = printCrc32c(addCrc32c(piece, 0));
    const command = new this.#sdk.UploadPartCommand({
      ...this.#name,
      PartNumber,
      Body: piece,
      ChecksumCRC32C,
    });
    const { ETag } = await this.#client.send(command, { abortSignal }).catch(raise);
    if (ETag === undefined)
      throw new BucketFailure("transient", "the answer to a part came without an entity tag");
    this.#parts.push({ PartNumber, ETag, ChecksumCRC32C });
  }

  async finish(piece: Uint8Array, crc32c: number, abortSignal: AbortSignal): Promise<StoredObject> {
    if (!this.#isLastSent) {
      await this.send(piece, abortSignal);
      this.#isLastSent = true;
    }
    const command = new this.#sdk.CompleteMultipartUploadCommand({
      ...this.#name,
      MultipartUpload: { Parts: this.#parts },
      ChecksumCRC32C: printCrc32c(crc32c),
      ChecksumType: "FULL_OBJECT",
      IfNoneMatch: "*",
    });
    const done = await this.#client.send(command, { abortSignal }).catch(raise);
    if (done.ETag === undefined) throw new BucketFailure("transient", "the answer to the last part is empty");
    return { version: done.ETag, mark: this.#mark, crc32c: parseCrc32c(done.ChecksumCRC32C) };
  }

  async abort(abortSignal: AbortSignal): Promise<void> {
    await this.#client.send(new this.#sdk.AbortMultipartUploadCommand(this.#name), { abortSignal });
  }
}

function raise(error: unknown): never {
  throw toS3Failure(error);
}
