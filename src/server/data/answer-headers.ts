/** Headers that every answer has: what browsers may do with it, and who may read it. */
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
  readonly #origins: ReadonlySet<string> | undefined;
  readonly #open: readonly string[];
  readonly #closed: readonly string[];

  constructor({ origins }: CorsRules) {
    this.#origins = origins === "*" ? undefined : new Set(origins);
    const shown = ["access-control-expose-headers", exposed];
    this.#open = [...dataHeaders, "access-control-allow-origin", "*", ...shown];
    this.#closed = [...dataHeaders, "vary", "origin"];
  }

  of(origin: string | undefined): readonly string[] {
    if (this.#origins === undefined) return this.#open;
    if (origin === undefined || !this.#origins.has(origin)) return this.#closed;
    return [...this.#closed, "access-control-allow-origin", origin, "access-control-expose-headers", exposed];
  }

  /** What the answer to a question before the request says (CORS preflight). */
  ofPreflight(origin: string | undefined): readonly string[] {
    return [
      ...this.of(origin),
      "access-control-allow-methods",
      "GET, HEAD, OPTIONS",
      "access-control-allow-headers",
      "authorization, x-api-key, accept, if-none-match, if-range, range",
      "access-control-max-age",
      "86400",
    ];
  }
}
