/**
 * The bytes of an object of Google Cloud Storage, from an offset on.
 *
 * With the client's credentials and without its streams: those pass a byte through five others, warn of too many
 * listeners when their reader is slow, and do not know that nothing has come for a minute.
 */
import { request } from "undici";
import type { OpenedObject } from "../bucket/bucket-client.ts";
import { BucketFailure, parseRetryAfter } from "../bucket/bucket-failure.ts";
import { parseCrc32c } from "../bucket/crc32c.ts";
import { failureOfStatus, readErrorText, toGcsFailure } from "./gcs-failure.ts";

/** A request for bytes. */
export type MediaRequest = Readonly<{
  url: string;
  headers: Readonly<Record<string, string>>;
  offset: number;
  /** Longest wait for the next bytes, ms. */
  idleMsMax: number;
}>;

/** What people are told of an answer that is an error, in bytes. */
const errorBytesMax = 10_000;

/** @throws BucketFailure `missing` when there is no such object or generation. */
export async function openGcsObject(
  { url, headers: given, offset, idleMsMax }: MediaRequest,
  signal: AbortSignal,
): Promise<OpenedObject> {
  const { statusCode, headers, body } = await request(url, {
    headers: {
      ...given,
      // Bytes as they are stored, also those that somebody else has stored packed.
      "accept-encoding": "gzip",
      ...(offset === 0 ? {} : { range: `bytes=${offset}-` }),
    },
    signal,
    headersTimeout: idleMsMax,
    bodyTimeout: idleMsMax,
  }).catch((error: unknown) => {
    throw toGcsFailure(error);
  });
  body.on("error", () => {}); // Reported by the iteration, whenever that begins.
  const headerOf = (name: string): string => String(headers[name] ?? "");
  if (statusCode !== 200 && statusCode !== 206) {
    const text = (await body.text().catch(() => "")).slice(0, errorBytesMax);
    const retryAfterMs = parseRetryAfter(headerOf("retry-after"));
    throw failureOfStatus(statusCode, { ...readErrorText(text), retryAfterMs });
  }
  const version = headerOf("x-goog-generation");
  const total = /\/(\d+)$/.exec(headerOf("content-range"))?.[1] ?? headerOf("content-length");
  if (version === "" || total === "") {
    body.destroy();
    throw new BucketFailure("transient", "the answer names no generation or size");
  }
  return {
    version,
    bytes: Number(total),
    // @see https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash
    crc32c: parseCrc32c(/(?:^|,\s*)crc32c=([A-Za-z0-9+/=]+)/.exec(headerOf("x-goog-hash"))?.[1]),
    body: readChunks(body),
    cancel: () => body.destroy(),
  };
}

async function* readChunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw toGcsFailure(error);
  }
}
