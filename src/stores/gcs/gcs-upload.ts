/**
 * A resumable upload of unknown length, a piece a request.
 *
 * The client's own stream is not used for it: after a lost last answer it begins to send again and fails with a
 * RangeError, it cannot be stopped, and it has no bound on the time of a request. The session's address is a credential
 * (whoever has it may write), so pieces are sent without another, and the address never reaches a message.
 *
 * @see https://cloud.google.com/storage/docs/performing-resumable-uploads read 2026-11.
 */
import { request } from "undici";
import type { BucketUpload, StoredObject } from "../bucket/bucket-client.ts";
import { BucketFailure, parseRetryAfter } from "../bucket/bucket-failure.ts";
import { printCrc32c } from "../bucket/crc32c.ts";
import { failureOfStatus, readErrorText, toGcsFailure } from "./gcs-failure.ts";
import { type GcsResource, toStored } from "./gcs-resource.ts";

/** What of an answer matters. */
type Answer = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}>;

export class GcsUpload implements BucketUpload {
  readonly #session: string;
  readonly #mark: string;
  readonly #userAgent: string;
  /** Bytes that the bucket has confirmed. */
  #confirmed = 0;
  /** Bytes before the piece that is being sent. */
  #pieceStart = 0;
  /** Whether a request of this piece was not answered: then the bucket is asked how much it has. */
  #isUnsure = false;

  constructor(session: string, mark: string, userAgent: string) {
    this.#session = session;
    this.#mark = mark;
    this.#userAgent = userAgent;
  }

  async send(piece: Uint8Array, signal: AbortSignal): Promise<void> {
    const end = this.#pieceStart + piece.byteLength;
    if (this.#isUnsure) await this.#askConfirmed("*", signal);
    while (this.#confirmed < end) {
      const before = this.#confirmed;
      const answer = await this.#put(
        piece.subarray(before - this.#pieceStart),
        `${before}-${end - 1}/*`,
        {},
        signal,
      );
      if (answer.status !== 308) throw toFailure(answer);
      this.#confirm(answer);
      if (this.#confirmed === before)
        throw new BucketFailure("transient", "the bucket keeps nothing of a piece");
    }
    this.#pieceStart = end;
  }

  async finish(piece: Uint8Array, crc32c: number, signal: AbortSignal): Promise<StoredObject> {
    const total = this.#pieceStart + piece.byteLength;
    if (this.#isUnsure) {
      const done = await this.#askConfirmed(String(total), signal);
      if (done !== undefined) return done;
    }
    for (;;) {
      const before = this.#confirmed;
      const rest = piece.subarray(before - this.#pieceStart);
      const range = rest.byteLength === 0 ? `*/${total}` : `${before}-${total - 1}/${total}`;
      const hash = { "x-goog-hash": `crc32c=${printCrc32c(crc32c)}` };
      const answer = await this.#put(rest, range, hash, signal);
      if (answer.status === 200 || answer.status === 201) return this.#readStored(answer);
      if (answer.status !== 308) throw toFailure(answer);
      this.#confirm(answer);
      if (this.#confirmed === before)
        throw new BucketFailure("transient", "the bucket keeps nothing of a piece");
    }
  }

  /** A cancelled session answers 499; one that is over, 404 or 410. All of them mean that nothing is kept. */
  async abort(signal: AbortSignal): Promise<void> {
    await this.#ask("DELETE", undefined, {}, signal);
  }

  /** Asks how much has arrived; the object itself when it is complete. */
  async #askConfirmed(total: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    const answer = await this.#put(new Uint8Array(), `*/${total}`, {}, signal);
    if (answer.status === 200 || answer.status === 201) return this.#readStored(answer);
    if (answer.status !== 308) throw toFailure(answer);
    this.#confirm(answer);
    return undefined;
  }

  /** Whatever a session makes is ours. */
  #readStored({ text }: Answer): StoredObject {
    try {
      return { ...toStored(JSON.parse(text) as GcsResource), mark: this.#mark }; // Each member is looked at.
    } catch {
      throw new BucketFailure("transient", "the answer to the last piece cannot be read");
    }
  }

  #confirm(answer: Answer): void {
    // Without a range nothing has arrived yet.
    const last = /^bytes=0-(\d+)$/.exec(String(answer.headers["range"] ?? ""))?.[1];
    const confirmed = last === undefined ? 0 : Number(last) + 1;
    if (confirmed < this.#pieceStart) {
      throw new BucketFailure(
        "gone",
        `the bucket has lost ${this.#pieceStart - confirmed} bytes of the upload`,
      );
    }
    this.#confirmed = confirmed;
  }

  async #put(
    body: Uint8Array,
    range: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Answer> {
    this.#isUnsure = true;
    const answer = await this.#ask("PUT", body, { ...headers, "content-range": `bytes ${range}` }, signal);
    this.#isUnsure = answer.status >= 400;
    return answer;
  }

  async #ask(
    method: "PUT" | "DELETE",
    body: Uint8Array | undefined,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      const answer = await request(this.#session, {
        method,
        headers: { ...headers, "user-agent": this.#userAgent },
        body: body ?? null,
        signal,
        // The signal has the say; a large piece on a slow line is not idle.
        headersTimeout: 0,
      });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    } catch (error) {
      throw toGcsFailure(error);
    }
  }
}

function toFailure({ status, headers, text }: Answer): BucketFailure {
  // A session that is not known any more has either ended well or expired.
  if (status === 404) return new BucketFailure("gone", "the upload's session is over");
  return failureOfStatus(status, {
    ...readErrorText(text),
    retryAfterMs: parseRetryAfter(String(headers["retry-after"] ?? "")),
  });
}
