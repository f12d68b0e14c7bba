/** Log lines written together: a write for each of 30,000 lines a second would cost more than the requests they tell of. */
import type { DestinationStream } from "pino";

/** Lines wait no longer than this, ms, and in no more than so many characters. */
const waitMs = 200;
const lengthMax = 64 * 1024;

export class LineBuffer implements DestinationStream {
  readonly #write: (lines: string) => void;
  #lines = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= lengthMax) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), waitMs).unref();
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines !== "") this.#write(this.#lines);
    this.#lines = "";
  }
}
