/** Compression of answers: which coding a client takes, and bodies in it. */

import type { Transform } from "node:stream";
import { promisify } from "node:util";
import { brotliCompress, constants, createGzip, createZstdCompress, gzip, zstdCompress } from "node:zlib";

/** Codings that are offered, best first: zstd costs least, br and gzip are what old clients know. */
export const contentCodings = ["zstd", "br", "gzip"] as const;
export type ContentCoding = (typeof contentCodings)[number];

/** Smaller bodies travel in the same three packets either way. */
export const codedBytesMin = 4096;

/** Longest Accept-Encoding header that is looked at, characters. */
const headerLengthMax = 500;

/** The best coding that a client takes, or `undefined` for none. */
export function chooseCoding(
  accepted: string | undefined,
  offered: readonly ContentCoding[] = contentCodings,
): ContentCoding | undefined {
  if (accepted === undefined || accepted === "") return undefined;
  let best: ContentCoding | undefined;
  let bestQuality = 0;
  for (const part of accepted.slice(0, headerLengthMax).split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const stated = parameters.find((parameter) => parameter.startsWith("q="));
    const quality = stated === undefined ? 1 : Number(stated.slice(2));
    const coding = offered.find((each) => each === name);
    if (coding === undefined || !(quality > 0)) continue;
    const isBetter = quality > bestQuality || (quality === bestQuality && isBefore(coding, best));
    if (isBetter) [best, bestQuality] = [coding, quality];
  }
  return best;
}

const isBefore = (one: ContentCoding, other: ContentCoding | undefined): boolean =>
  other === undefined || contentCodings.indexOf(one) < contentCodings.indexOf(other);

/** Levels for answers that are made now; all of them run on other threads. */
const levels = { zstd: 3, br: 4, gzip: 5 } as const;

const zstdParams = { [constants.ZSTD_c_compressionLevel]: levels.zstd };

/** A body in a coding. */
export async function compress(body: Uint8Array, coding: ContentCoding): Promise<Uint8Array> {
  switch (coding) {
    case "zstd":
      return await promisify(zstdCompress)(body, { params: zstdParams });
    case "br":
      return await promisify(brotliCompress)(body, {
        params: { [constants.BROTLI_PARAM_QUALITY]: levels.br },
      });
    case "gzip":
      return await promisify(gzip)(body, { level: levels.gzip });
  }
}

/** Codings that large files are kept in: br is too slow for them. */
export const fileCodings = ["zstd", "gzip"] as const;

/** A stream that compresses a large file. */
export const openCompressor = (coding: (typeof fileCodings)[number]): Transform =>
  coding === "zstd" ? createZstdCompress({ params: zstdParams }) : createGzip({ level: levels.gzip });
