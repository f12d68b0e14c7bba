/**
 * Small answers that were asked for more than once, kept whole: what everybody asks costs no search and no printing.
 *
 * An address is kept when it comes a second time, so that keys asked at random, each once, push nothing out and leave
 * no garbage. Entries name their version by its text and hold nothing of it, so that a version that was replaced is
 * free at once.
 */
import { type ApiAnswer, type ApiRequest, headerOf } from "./api-answer.ts";
import { codedBytesMin } from "./content-coding.ts";

/** Answers kept: some 2 KB each. */
const answersMax = 8192;
/** Addresses remembered to have come once: a power of two, of 4 bytes each. */
const seenSlots = 65_536;

/** Whatever has a current version. */
type Versioned = Readonly<{ current: Readonly<{ view: Readonly<{ short: string }> }> | undefined }>;

type Recent = Readonly<{ served: Versioned; short: string; answer: ApiAnswer }>;

export class RecentAnswers {
  /** By address, oldest first. */
  readonly #answers = new Map<string, Recent>();
  readonly #seen = new Uint32Array(seenSlots);

  /** The answer to a request that says nothing but its address, if it is still that of the current version. */
  find(request: ApiRequest): ApiAnswer | undefined {
    const recent = this.#answers.get(request.url);
    if (recent === undefined || !isPlain(request)) return undefined;
    if (recent.served.current?.view.short === recent.short) return recent.answer;
    this.#answers.delete(request.url);
    return undefined;
  }

  /** Keeps an answer over the current version, the second time that its address comes. */
  keep(request: ApiRequest, served: Versioned, short: string, answer: ApiAnswer): void {
    const { body } = answer;
    // Of these no client gets a compressed form.
    const isSmall = typeof body === "string" && body.length < codedBytesMin;
    if (!isSmall || answer.status !== 200 || !isPlain(request) || !this.#isSeen(request.url)) return;
    // As one piece: it was put together of many, and would be again for each client.
    const whole = Buffer.from(body, "latin1").toString("latin1");
    if (this.#answers.size >= answersMax)
      for (const oldest of this.#answers.keys()) {
        this.#answers.delete(oldest);
        break;
      }
    this.#answers.set(request.url, {
      served,
      short,
      answer: { ...answer, body: whole, kept: { more: undefined, lines: "" } },
    });
  }

  #isSeen(url: string): boolean {
    let hash = 0x811c9dc5;
    for (let at = 0; at < url.length; at++) hash = Math.imul(hash ^ url.charCodeAt(at), 0x01000193);
    const [slot, mark] = [hash & (seenSlots - 1), hash >>> 0];
    const isSeen = this.#seen[slot] === mark;
    this.#seen[slot] = mark;
    return isSeen;
  }
}

/** Whether nothing in a request's headers chooses its answer. */
function isPlain(request: ApiRequest): boolean {
  const { headers } = request;
  const accept = headerOf(request, "accept");
  return (
    (accept === undefined || accept === "*/*") &&
    headers["if-none-match"] === undefined &&
    headers["range"] === undefined
  );
}
