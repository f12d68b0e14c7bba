/** A line for each answered request. Keys are told by their id, and nothing of a header is told but the address. */
import type { Logger } from "pino";

/** What is told of a request. */
export type AnsweredRequest = Readonly<{
  method: string;
  url: string;
  status: number;
  ms: number;
  bytes: number;
  address: string;
  keyId: string | undefined;
}>;

/** Longest address that is told whole, characters. */
const urlLengthMax = 1000;

export class AccessLog {
  readonly #log: Logger;
  readonly #tellsAll: boolean;

  /** @param tellsAll - false: only answers of 500 and above. */
  constructor(log: Logger, tellsAll: boolean) {
    this.#log = log;
    this.#tellsAll = tellsAll;
  }

  tell({ method, url, status, ms, bytes, address, keyId }: AnsweredRequest): void {
    if (status < 500 && (!this.#tellsAll || isHealth(url))) return;
    const facts = {
      method,
      url: url.length > urlLengthMax ? `${url.slice(0, urlLengthMax)}…` : url,
      status,
      ms: Math.round(ms * 100) / 100,
      bytes,
      address,
      ...(keyId !== undefined && { key: keyId }),
    };
    if (status >= 500) this.#log.warn(facts, "request");
    else this.#log.info(facts, "request");
  }
}

/** Supervisors ask every few seconds, and nobody reads of it. */
const isHealth = (url: string): boolean => url === "/live" || url === "/ready" || url === "/metrics";
