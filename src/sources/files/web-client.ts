/** Asks a publisher over HTTP: pages and listings whole, files as they come. */
import { LeatError } from "../../errors/leat-error.ts";
import type { FetchedFile, KnownFile, SourceWorld, Tenant } from "../../ports/source.ts";
import type { Expected } from "../http/answer-check.ts";
import { authTemplates } from "../http/authenticator.ts";
import type { Access } from "../http/check-access.ts";
import type { Connections } from "../http/connections.ts";
import { decodeStream, parseCodings } from "../http/decode-body.ts";
import { type Answer, Exchange, type PlannedRequest } from "../http/exchange.ts";
import { redactAddress } from "../http/redaction.ts";
import { Lookups, type Template } from "../http/template.ts";
import { hasEnding, nameOfDisposition } from "./file-name.ts";

/** What a client is opened with. */
export type WebClientParts = Readonly<{
  access: Access;
  userAgent: string;
  /** Where credentials and the source's own headers go beside the first address's origin. */
  allowedOrigins: readonly string[];
  connections: Connections;
  place: Readonly<{ source: string; stream: string; tenant: Tenant }>;
  world: SourceWorld;
}>;

/** An answer that was read to its end. */
export type WholeAnswer = Readonly<{
  bytes: Uint8Array;
  /** Where it came from in the end. */
  address: string;
  /** For people. */
  at: string;
  headers: Answer["headers"];
}>;

/** Any answer is a file; whether it is the right one is seen by its bytes. */
const fileAnswer: Expected = { check: () => undefined, emptyStatuses: [304], redirects: "anywhere" };

/** Codings that are a file's own form when its name says so: servers mark `.csv.gz` as CSV that is encoded. */
const codingOf: Readonly<Record<string, string>> = { gz: "gzip", tgz: "gzip", br: "br", zst: "zstd" };

export class WebClient {
  readonly #parts: WebClientParts;
  readonly #lookups: Lookups;
  readonly #exchange: Exchange;
  readonly #origins = new Set<string>();
  #isClosed = false;

  constructor(parts: WebClientParts) {
    const { access, connections, place, world } = parts;
    this.#parts = parts;
    this.#lookups = new Lookups(place.tenant, world.secrets);
    this.#exchange = new Exchange({
      transport: connections.use(),
      clock: world.clock,
      random: world.random,
      retry: access.retry,
      auth: access.auth,
      lookups: this.#lookups,
      warn: (message) => this.warn(message),
      ...connections.ofTenant(place.tenant),
    });
  }

  get requestCount(): number {
    return this.#exchange.requestCount;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#parts.connections.release();
  }

  /** Looks up what requests need, and fills the first address in. Where it leads, credentials may go. */
  async start(url: Template | (() => string | Promise<string>)): Promise<string> {
    const { access, allowedOrigins, place } = this.#parts;
    const headers = access.headers.map(([, template]) => template);
    const declared = typeof url === "function" ? [] : url;
    await this.#lookups.resolve([declared, ...headers, ...authTemplates(access.auth)]);
    // An address that is all the tenant's is one; a part of one must not become more than a part.
    const encode = declared.length === 1 ? undefined : encodeURIComponent;
    const address =
      typeof url === "function" ? await url() : (this.#lookups.render(declared, {}, encode)?.text ?? "");
    const fault = addressFault(address);
    if (fault !== undefined) {
      throw new LeatError("TENANTS_INVALID", {
        message: `The address of ${place.source}.${place.stream} for tenant "${place.tenant.id}" ${fault}.`,
        hint:
          typeof url === "function"
            ? "Look at the function that `url` of the stream is."
            : `Look at what tenant "${place.tenant.id}" has for it in the tenants file.`,
      });
    }
    for (const origin of [new URL(address).origin, ...allowedOrigins]) this.#origins.add(origin);
    return address;
  }

  warn(message: string): void {
    const { source, stream, tenant } = this.#parts.place;
    this.#parts.world.progress({ type: "warning", source, stream, tenant: tenant.id, message });
  }

  /** An address without secrets: what names a file, and what is told. */
  redact(address: string): string {
    return redactAddress(address, new Set(), this.#lookups.secrets);
  }

  get secrets(): ReadonlySet<string> {
    return this.#lookups.secrets;
  }

  /** @throws LeatError `SOURCE_SHAPE_CHANGED` when the answer is longer than `bytesMax`. */
  async fetchWhole(
    address: string,
    accept: string,
    expected: Expected,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<WholeAnswer> {
    const answer = await this.#exchange.fetch(this.#plan(address, { accept }), expected, signal);
    const { at, headers, body } = answer;
    const chunks = body.kind === "whole" ? [body.bytes] : [];
    if (body.kind === "stream") {
      let bytes = 0;
      for await (const chunk of body.chunks) {
        bytes += chunk.byteLength;
        chunks.push(chunk);
        if (bytes <= bytesMax) continue;
        throw new LeatError("SOURCE_SHAPE_CHANGED", {
          message: `${at} has more than ${bytesMax} bytes.`,
          hint: "Compare the address of the stream with the publisher's site: that is no page or listing.",
          details: { at },
        });
      }
    }
    return { bytes: Buffer.concat(chunks), address: answer.address, at, headers };
  }

  /**
   * Fetches a file, or learns that it is as it was.
   *
   * @param known - validators to send; `undefined`: the file is wanted whatever it is.
   */
  async fetchFile(
    address: string,
    name: string,
    known: KnownFile | undefined,
    signal: AbortSignal,
  ): Promise<FetchedFile> {
    const conditions = {
      ...(known?.etag !== undefined && { "if-none-match": known.etag }),
      ...(known?.lastModified !== undefined && { "if-modified-since": known.lastModified }),
    };
    // Bytes are landed as the file has them; a length that is announced is then the file's own.
    const headers = { accept: "*/*", "accept-encoding": "identity", ...conditions };
    const request = { ...this.#plan(address, headers), isRaw: true };
    const answer = await this.#exchange.fetch(request, fileAnswer, signal);
    if (answer.status === 304) return this.#unchanged(answer, conditions);
    const { body } = answer;
    const codings = parseCodings(answer.headers["content-encoding"]);
    const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? "";
    const isOwn = codings?.length === 1 && codingOf[ending] === codings[0];
    if (codings === undefined) {
      if (body.kind === "stream") body.abort();
      throw new LeatError("SOURCE_FAILED", {
        message: `${answer.at} is encoded as "${one(answer.headers["content-encoding"])}", which leat does not know.`,
        retryable: false,
        details: { at: answer.at },
      });
    }
    const isEncoded = codings.length > 0 && !isOwn;
    const chunks = body.kind === "whole" ? oneChunk(body.bytes) : body.chunks;
    const length = Number(one(answer.headers["content-length"]) ?? Number.NaN);
    const modifiedMs = Date.parse(one(answer.headers["last-modified"]) ?? "");
    return {
      status: "fetched",
      body: locate(isEncoded ? decodeStream(chunks, codings) : chunks, answer.at),
      discard: body.kind === "stream" ? body.abort : () => {},
      name: hasEnding(name) ? undefined : nameOfDisposition(one(answer.headers["content-disposition"])),
      address: this.redact(answer.address),
      bytes: isEncoded || Number.isNaN(length) ? undefined : length,
      contentType: one(answer.headers["content-type"]),
      etag: one(answer.headers["etag"]),
      lastModified: one(answer.headers["last-modified"]),
      modifiedMs: Number.isNaN(modifiedMs) ? undefined : modifiedMs,
    };
  }

  #unchanged(answer: Answer, conditions: Readonly<Record<string, string>>): FetchedFile {
    if (Object.keys(conditions).length > 0) return { status: "unchanged" };
    throw new LeatError("SOURCE_FAILED", {
      message: `${answer.at} answered 304, although nothing was asked that it could answer.`,
      details: { at: answer.at, status: 304 },
    });
  }

  #plan(address: string, own: Readonly<Record<string, string>>): PlannedRequest {
    const headers: Record<string, string> = { "user-agent": this.#parts.userAgent, ...own };
    for (const [name, template] of this.#parts.access.headers) {
      const rendered = this.#lookups.render(template, {});
      if (rendered !== undefined) headers[name] = rendered.text;
    }
    return {
      method: "GET",
      address,
      headers,
      body: undefined,
      secretParams: new Set(),
      isAnonymous: !this.#origins.has(new URL(address).origin),
    };
  }
}

/** What is wrong with an address, if anything. */
export function addressFault(address: string): string | undefined {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return "is not an http(s) address";
  const { username, password } = new URL(address);
  return username !== "" || password !== "" ? "holds a credential; use `auth`" : undefined;
}

/** What breaks off in the middle says where. */
async function* locate(chunks: AsyncIterable<Uint8Array>, at: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    if (cause instanceof LeatError) {
      const { code, hint, retryable, details } = cause;
      throw new LeatError(code, {
        message: `${at}: ${cause.message}`,
        hint,
        retryable,
        details: { at, ...details },
        cause: cause.cause,
      });
    }
    if (!(cause instanceof Error) || !("code" in cause)) throw cause; // The signal's reason.
    throw new LeatError("SOURCE_TRUNCATED", {
      message: `${at}: the answer cannot be unpacked: ${cause.message}.`,
      details: { at },
      cause,
    });
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
