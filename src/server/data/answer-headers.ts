/** Headers that every answer has: what browsers may do with it, and who may read it. */
import { type HeaderBlock, toHeaderBlock } from "./answer-head.ts";

/** Who may read answers from pages of their own: everybody, or some origins. */
export type CorsRules = Readonly<{ origins: "*" | readonly string[] }>;

/** Headers of ours and of HTTP that pages elsewhere may read. */
const exposed =
  "content-disposition, content-length, content-range, accept-ranges, etag, link, retry-after, leat-version, leat-total";

/** Answers with data: never a page, whatever a browser makes of them. */
const dataHeaders: readonly string[] = [
  "x-content-type-options",
  "nosniff",
  "content-security-policy",
  "default-src 'none'; frame-ancestors 'none'; sandbox",
  "cross-origin-resource-policy",
  "cross-origin",
];

/** What a page may load: its own files. */
export type PageNeeds = Readonly<{
  /** Runs WebAssembly in a worker, and reads the API. */
  wasm?: boolean;
  /** The one script in the page itself, by its SHA-256 in base64. */
  scriptHash?: string;
  /** Styles that its own scripts write into the page. */
  writesStyles?: boolean;
}>;

/** The policy of a page: nothing from elsewhere, no script in the page itself. */
export function pagePolicy({ wasm, scriptHash, writesStyles }: PageNeeds): string {
  return [
    "default-src 'none'",
    `script-src 'self'${wasm === true ? " 'wasm-unsafe-eval'" : ""}${scriptHash === undefined ? "" : ` 'sha256-${scriptHash}'`}`,
    `style-src 'self'${writesStyles === true ? " 'unsafe-inline'" : ""}`,
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    ...(wasm === true ? ["worker-src 'self'"] : []),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Headers of a page. */
export const pageHeaders = (needs: PageNeeds): readonly string[] => [
  "content-security-policy",
  pagePolicy(needs),
  "x-content-type-options",
  "nosniff",
  "referrer-policy",
  "same-origin",
  "cross-origin-opener-policy",
  "same-origin",
  "permissions-policy",
  "camera=(), geolocation=(), microphone=(), payment=()",
];

/** Headers of answers with data, for a request that says where it comes from. */
export class DataHeaders {
  /** `undefined`: everybody may read. */
  readonly #origins: ReadonlyMap<string, HeaderBlock> | undefined;
  /** For those that are not among them. */
  readonly #others: HeaderBlock;

  constructor({ origins }: CorsRules) {
    const shown = ["access-control-expose-headers", exposed];
    const closed = [...dataHeaders, "vary", "origin"];
    const open = [...dataHeaders, "access-control-allow-origin", "*", ...shown];
    this.#others = toHeaderBlock(origins === "*" ? open : closed);
    this.#origins =
      origins === "*"
        ? undefined
        : new Map(
            origins.map((origin) => [
              origin,
              toHeaderBlock([...closed, "access-control-allow-origin", origin, ...shown]),
            ]),
          );
  }

  of(origin: string | undefined): HeaderBlock {
    if (origin === undefined || this.#origins === undefined) return this.#others;
    return this.#origins.get(origin) ?? this.#others;
  }

  /** What the answer to a question before the request says (CORS preflight). */
  ofPreflight(origin: string | undefined): HeaderBlock {
    return toHeaderBlock([
      ...this.of(origin).list,
      "access-control-allow-methods",
      "GET, HEAD, OPTIONS",
      "access-control-allow-headers",
      "authorization, x-api-key, accept, if-none-match, if-range, range",
      "access-control-max-age",
      "86400",
    ]);
  }
}
