/**
 * Requests to Amazon S3. Every write and delete has a precondition.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html read 2026-11.
 */
import type { HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { BucketClient, Condition, OpenedObject, StoredObject } from "../bucket/bucket-client.ts";
import { BucketFailure } from "../bucket/bucket-failure.ts";
import { parseCrc32c, printCrc32c } from "../bucket/crc32c.ts";
import { toS3Failure } from "./s3-failure.ts";
import type { S3Place } from "./s3-place.ts";
import { S3Upload } from "./s3-upload.ts";

/** Of 5 MiB at least; with the 10,000 parts that an upload may have, objects of 78 GiB. */
const pieceBytes = 8 * 1024 * 1024;

/** User metadata that holds the mark of the write. */
export const markName = "leat-write";

export function createS3Client(
  sdk: typeof import("@aws-sdk/client-s3"),
  client: S3Client,
  place: S3Place,
): BucketClient {
  const { bucket: Bucket, prefix } = place;
  let newestDate: string | undefined;
  observeAnswers(client, (date) => {
    newestDate = date;
  });
  return {
    url: `s3://${Bucket}${prefix === "" ? "" : `/${prefix.slice(0, -1)}`}`,
    pieceBytes,
    // Amazon's own keeps them; of others, many do not.
    mustProveConditions: place.endpoint !== undefined,
    hints: {
      credentials:
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role; then look with `aws sts get-caller-identity`.",
      reading: `Allow s3:GetObject on arn:aws:s3:::${Bucket}/${prefix}* and s3:ListBucket on arn:aws:s3:::${Bucket}; without the latter, an object that is not there is denied as well.`,
      writing: `Allow s3:PutObject, s3:GetObject, s3:DeleteObject and s3:AbortMultipartUpload on arn:aws:s3:::${Bucket}/${prefix}*, and s3:ListBucket on arn:aws:s3:::${Bucket}.`,
      bucket: `Make it with \`aws s3 mb s3://${Bucket}\`, or correct the address. leat never makes buckets.`,
    },
    async write(Key, body, { condition, mark, crc32c }, abortSignal) {
      const input = {
        Bucket,
        Key,
        Body: body,
        ContentType: contentTypeOf(Key),
        ChecksumCRC32C: printCrc32c(crc32c),
        Metadata: { [markName]: mark },
        ...toHeaders(condition),
      };
      const stored = await client.send(new sdk.PutObjectCommand(input), { abortSignal }).catch(raise);
      return { version: versionOf(stored.ETag), mark, crc32c: parseCrc32c(stored.ChecksumCRC32C) };
    },
    async beginUpload(Key, mark, abortSignal) {
      const input = {
        Bucket,
        Key,
        ContentType: contentTypeOf(Key),
        ChecksumAlgorithm: "CRC32C",
        ChecksumType: "FULL_OBJECT",
        Metadata: { [markName]: mark },
      } as const;
      const begun = await client
        .send(new sdk.CreateMultipartUploadCommand(input), { abortSignal })
        .catch(raise);
      if (begun.UploadId === undefined) {
        throw new BucketFailure("transient", "the bucket began an upload without naming it");
      }
      return new S3Upload(sdk, client, { Bucket, Key, UploadId: begun.UploadId }, mark);
    },
    async stat(Key, abortSignal) {
      const input = { Bucket, Key, ChecksumMode: "ENABLED" } as const;
      try {
        return toStored(await client.send(new sdk.HeadObjectCommand(input), { abortSignal }));
      } catch (error) {
        return missingAsUndefined(error);
      }
    },
    async open(Key, { offset, version }, abortSignal): Promise<OpenedObject | undefined> {
      const input = {
        Bucket,
        Key,
        ...(offset === 0 ? {} : { Range: `bytes=${offset}-` }),
        ...(version === undefined ? {} : { IfMatch: version }),
      };
      try {
        const got = await client.send(new sdk.GetObjectCommand(input), { abortSignal });
        return toOpened(got);
      } catch (error) {
        const failure = toS3Failure(error);
        const isReplaced = failure instanceof BucketFailure && failure.kind === "changed";
        // Of the version that was asked for there is no more than of an object that was deleted.
        return isReplaced ? undefined : missingAsUndefined(failure);
      }
    },
    async listPage({ prefix: Prefix, startAfter, countMax, token }, abortSignal) {
      const input = {
        Bucket,
        Prefix,
        MaxKeys: countMax,
        ...(startAfter === "" ? {} : { StartAfter: startAfter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      };
      const page = await client.send(new sdk.ListObjectsV2Command(input), { abortSignal }).catch(raise);
      const objects = (page.Contents ?? []).map((object) => ({
        key: String(object.Key),
        version: versionOf(object.ETag),
        bytes: object.Size ?? 0,
        createdAtMs: object.LastModified?.getTime() ?? 0,
      }));
      return { objects, token: page.IsTruncated === true ? page.NextContinuationToken : undefined };
    },
    async listFolderPage({ prefix: Prefix, startAfter, countMax, token }, abortSignal) {
      const input = {
        Bucket,
        Prefix,
        Delimiter: "/",
        MaxKeys: countMax,
        ...(startAfter === "" ? {} : { StartAfter: startAfter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      };
      const page = await client.send(new sdk.ListObjectsV2Command(input), { abortSignal }).catch(raise);
      const folders = (page.CommonPrefixes ?? []).map((folder) => String(folder.Prefix));
      return { folders, token: page.IsTruncated === true ? page.NextContinuationToken : undefined };
    },
    async delete(Key, version, abortSignal) {
      const input = { Bucket, Key, IfMatch: version };
      await client.send(new sdk.DeleteObjectCommand(input), { abortSignal }).catch(missingAsUndefined);
    },
    async nowMs(abortSignal) {
      // Any answer has the time; asking for an object that is not there needs the least rights.
      const input = { Bucket, Key: `${prefix}leat/clock` };
      await client.send(new sdk.HeadObjectCommand(input), { abortSignal }).catch(missingAsUndefined);
      const ms = Date.parse(newestDate ?? "");
      if (Number.isNaN(ms)) throw new BucketFailure("transient", "an answer came without a date");
      return ms;
    },
  };
}

/**
 * Sees what the client keeps to itself: the date of answers. And asks for checksums of whole objects by the header alone,
 * since asked by the option the client computes them once more, in JavaScript.
 */
function observeAnswers(client: S3Client, tellDate: (date: string) => void): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const request = args.request as Readonly<{ headers: Record<string, string> }>; // An HttpRequest of the client.
        if (commandName === "GetObjectCommand") request.headers["x-amz-checksum-mode"] = "ENABLED";
        return next(args);
      },
    { step: "build", name: "leatChecksumMode" },
  );
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as Readonly<{ headers?: Readonly<Record<string, string>> }>; // An HttpResponse.
      const date = headers?.["date"];
      if (date !== undefined) tellDate(date);
      return result;
    },
    // Beside the wire: errors are made of answers further out.
    { step: "deserialize", name: "leatDates", priority: "low" },
  );
}

const toHeaders = (condition: Condition): Readonly<{ IfMatch: string } | { IfNoneMatch: string }> =>
  condition.kind === "absent" ? { IfNoneMatch: "*" } : { IfMatch: condition.version };

function toStored({ ETag, Metadata, ChecksumCRC32C }: HeadObjectCommandOutput): StoredObject {
  return { version: versionOf(ETag), mark: Metadata?.[markName], crc32c: parseCrc32c(ChecksumCRC32C) };
}

function toOpened(got: import("@aws-sdk/client-s3").GetObjectCommandOutput): OpenedObject {
  const body = got.Body as (NodeJS.ReadableStream & { destroy(): void }) | undefined; // On Node an IncomingMessage.
  const total = /\/(\d+)$/.exec(got.ContentRange ?? "")?.[1] ?? got.ContentLength;
  if (body === undefined || total === undefined) {
    throw new BucketFailure("transient", "an answer came without its object");
  }
  body.on("error", () => {}); // Reported by the iteration, whenever that begins.
  return {
    version: versionOf(got.ETag),
    bytes: Number(total),
    // Of parts, `checksum-7`: no checksum of the whole.
    crc32c: got.ChecksumType === "COMPOSITE" ? undefined : parseCrc32c(got.ChecksumCRC32C),
    body: readChunks(body),
    cancel: () => body.destroy(),
  };
}

async function* readChunks(stream: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Buffer; // Without an encoding a stream yields Buffers.
  } catch (error) {
    throw toS3Failure(error);
  }
}

function versionOf(tag: string | undefined): string {
  if (tag === undefined) throw new BucketFailure("transient", "an answer came without an entity tag");
  return tag;
}

function raise(error: unknown): never {
  throw toS3Failure(error);
}

function missingAsUndefined(error: unknown): undefined {
  const failure = toS3Failure(error);
  if (failure instanceof BucketFailure && failure.kind === "missing") return undefined;
  throw failure;
}

const contentTypeOf = (key: string): string => {
  if (key.endsWith(".json")) return "application/json";
  return key.endsWith(".ndjson") ? "application/x-ndjson" : "application/octet-stream";
};
