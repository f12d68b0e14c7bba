/**
 * Requests to Google Cloud Storage. Every write and delete has a precondition on the generation.
 *
 * @see https://cloud.google.com/storage/docs/request-preconditions read 2026-11.
 */
import type { Storage } from "@google-cloud/storage";
import type { BucketClient, Condition } from "../bucket/bucket-client.ts";
import { BucketFailure } from "../bucket/bucket-failure.ts";
import { printCrc32c } from "../bucket/crc32c.ts";
import { toAccessFailure, toGcsFailure } from "./gcs-failure.ts";
import type { GcsPlace } from "./gcs-place.ts";
import { type GcsResource, markName, toStored } from "./gcs-resource.ts";
import { GcsUpload } from "./gcs-upload.ts";
import { openGcsObject } from "./open-gcs-object.ts";

/** A multiple of 256 KiB, as the protocol wants, and the size that Google recommends. */
const pieceBytes = 8 * 1024 * 1024;

/** How the bucket is asked. */
export type GcsAccess = Readonly<{
  /** Headers that say who asks. @throws the client's error when there are no credentials. */
  headers: (url: string) => Promise<Readonly<Record<string, string>>>;
  userAgent: string;
  /** Longest wait for the next bytes of an object, ms. */
  idleMsMax: number;
}>;

export function createGcsClient(storage: Storage, place: GcsPlace, access: GcsAccess): BucketClient {
  const bucket = storage.bucket(place.bucket);
  const name = encodeURIComponent(place.bucket);
  const url = `gs://${place.bucket}${place.prefix === "" ? "" : `/${place.prefix.slice(0, -1)}`}`;
  const grant = `gcloud storage buckets add-iam-policy-binding gs://${place.bucket} --member=… --role=roles/storage`;
  // Without credentials the client asks all the same, as nobody; what is said then does not tell what is wrong.
  const headersOf = (url: string): Promise<Readonly<Record<string, string>>> =>
    access.headers(url).catch((error: unknown) => {
      throw toAccessFailure(error);
    });
  const ready = (): Promise<unknown> => headersOf(storage.apiEndpoint);
  return {
    url,
    pieceBytes,
    mustProveConditions: false,
    hints: {
      credentials:
        "Run `gcloud auth application-default login` on a laptop; on Google Cloud, give the service a service account; elsewhere, set GOOGLE_APPLICATION_CREDENTIALS.",
      reading: `Grant roles/storage.objectViewer on the bucket, or roles/storage.objectUser for a landing: ${grant}.objectUser`,
      writing: `Grant roles/storage.objectUser on the bucket: ${grant}.objectUser`,
      bucket: `Make it with \`gcloud storage buckets create gs://${place.bucket} --location=…\`, or correct the address. leat never makes buckets.`,
    },
    async write(key, body, { condition, mark, crc32c }) {
      await ready();
      const file = bucket.file(key);
      await file
        .save(Buffer.from(body.buffer, body.byteOffset, body.byteLength), {
          resumable: false,
          // The bucket itself compares the checksum and makes nothing when it differs; the client would make the object
          // first and delete whatever is there afterwards.
          validation: false,
          preconditionOpts: { ifGenerationMatch: toGeneration(condition) },
          metadata: {
            contentType: contentTypeOf(key),
            crc32c: printCrc32c(crc32c),
            metadata: { [markName]: mark },
          },
        })
        .catch(raise);
      // What the bucket has answered to our own write.
      return { ...toStored(file.metadata as GcsResource), mark };
    },
    async beginUpload(key, mark) {
      await ready();
      const resource = { contentType: contentTypeOf(key), metadata: { [markName]: mark } };
      const uri = `${storage.apiEndpoint}/upload/storage/v1/b/${name}/o`;
      const headers = await new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
        storage.request(
          {
            method: "POST",
            uri,
            qs: { uploadType: "resumable", name: key, ifGenerationMatch: 0 },
            json: resource,
          },
          (error, _body, response) => {
            if (error === null) resolve(response?.headers ?? {});
            else reject(error);
          },
        );
      }).catch(raise);
      const session = headers["location"];
      if (typeof session !== "string") {
        throw new BucketFailure("transient", "the bucket began an upload without saying where");
      }
      return new GcsUpload(session, mark, access.userAgent);
    },
    async stat(key) {
      await ready();
      try {
        const [resource] = await bucket.file(key).getMetadata();
        return toStored(resource as GcsResource);
      } catch (error) {
        return missingAsUndefined(error);
      }
    },
    async open(key, { offset, version }, signal) {
      const generation = version === undefined ? "" : `&generation=${version}`;
      const url = `${storage.apiEndpoint}/storage/v1/b/${name}/o/${encodeURIComponent(key)}?alt=media${generation}`;
      try {
        const headers = { ...(await headersOf(url)), "user-agent": access.userAgent };
        return await openGcsObject({ url, headers, offset, idleMsMax: access.idleMsMax }, signal);
      } catch (error) {
        return missingAsUndefined(error);
      }
    },
    async listPage({ prefix, startAfter, countMax, token }) {
      await ready();
      const [files, next] = await bucket
        .getFiles({
          autoPaginate: false,
          prefix,
          // The offset itself is part of the answer, hence one more.
          maxResults: startAfter === "" ? countMax : countMax + 1,
          ...(startAfter === "" ? {} : { startOffset: startAfter }),
          ...(token === undefined ? {} : { pageToken: token }),
          fields: "items(name,generation,size,timeCreated),nextPageToken",
        })
        .catch(raise);
      const resources = files as readonly GcsResource[]; // With `fields` the client hands on the items as they came.
      const objects = resources
        .filter(({ name }) => name !== startAfter)
        .map((resource) => ({
          key: String(resource.name),
          version: String(resource.generation),
          bytes: Number(resource.size),
          createdAtMs: Date.parse(String(resource.timeCreated)),
        }));
      const pageToken = (next as Readonly<{ pageToken?: string }> | null)?.pageToken;
      return { objects, token: pageToken };
    },
    async listFolderPage({ prefix, startAfter, countMax, token }) {
      await ready();
      const [, next, answer] = await bucket
        .getFiles({
          autoPaginate: false,
          prefix,
          delimiter: "/",
          maxResults: countMax,
          ...(startAfter === "" ? {} : { startOffset: startAfter }),
          ...(token === undefined ? {} : { pageToken: token }),
          fields: "prefixes,nextPageToken",
        })
        .catch(raise);
      const { prefixes = [] } = (answer ?? {}) as Readonly<{ prefixes?: readonly string[] }>; // As the API has it.
      return { folders: prefixes, token: (next as Readonly<{ pageToken?: string }> | null)?.pageToken };
    },
    async delete(key, version) {
      await ready();
      try {
        await bucket.file(key).delete({ ifGenerationMatch: version });
      } catch (error) {
        missingAsUndefined(error);
      }
    },
    async nowMs() {
      await ready();
      // Any answer has the time; reading no object at all needs the least rights.
      const answer: unknown = await bucket
        .file(`${place.prefix}leat/clock`)
        .getMetadata()
        .then(
          ([, response]): unknown => response,
          (error: unknown) => {
            missingAsUndefined(error);
            return (error as Readonly<{ response?: unknown }>).response; // The client puts the answer there.
          },
        );
      const ms = Date.parse(String(dateOf(answer)));
      if (Number.isNaN(ms)) throw new BucketFailure("transient", "an answer came without a date");
      return ms;
    },
  };
}

const toGeneration = (condition: Condition): number | string =>
  condition.kind === "absent" ? 0 : condition.version;

function raise(error: unknown): never {
  throw toGcsFailure(error);
}

function missingAsUndefined(error: unknown): undefined {
  const failure = toGcsFailure(error);
  if (failure instanceof BucketFailure && failure.kind === "missing") return undefined;
  throw failure;
}

function dateOf(answer: unknown): unknown {
  const headers = (answer as Readonly<{ headers?: unknown }> | undefined)?.headers; // An answer of the HTTP library.
  if (headers instanceof Headers) return headers.get("date");
  return (headers as Readonly<Record<string, unknown>> | undefined)?.["date"];
}

/** Never a content encoding: Google would unpack what is served, and checksums would no longer fit. */
function contentTypeOf(key: string): string {
  if (key.endsWith(".json")) return "application/json";
  return key.endsWith(".ndjson") ? "application/x-ndjson" : "application/octet-stream";
}
