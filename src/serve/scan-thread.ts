/** The counting thread, seen from the server. */
import { LeatError } from "../errors/leat-error.ts";
import type { CountedFacet } from "./count-facets.ts";
import type { PackMemory } from "./pack.ts";
import { PackThread } from "./pack-thread.ts";
import type { ScanJob, ScanMessage, ScanReply } from "./scan-messages.ts";

/** Jobs at once: they take turns, and the last of more would wait for seconds. */
const jobsMax = 64;
/** Longest time of a job, ms, as a query of the engine has. */
const timeoutMs = 10_000;

/** Counts facets beside the event loop. */
export class ScanThread {
  readonly #thread = new PackThread<ScanMessage, ScanReply>("scan-worker", "counting");
  #running = 0;

  add(id: string, pack: PackMemory): void {
    this.#thread.add(id, pack);
  }

  drop(id: string): void {
    this.#thread.drop(id);
  }

  /**
   * Counts the values of columns.
   *
   * @throws LeatError `QUERY_BUSY`, `QUERY_TIMEOUT`, `INTERRUPTED` when the signal comes.
   */
  async count(asked: ScanJob, signal: AbortSignal): Promise<readonly CountedFacet[]> {
    if (this.#running >= jobsMax)
      throw new LeatError("QUERY_BUSY", { message: `${jobsMax} facets are being counted.` });
    const job = this.#thread.begin();
    const end = (): void => this.#thread.post({ do: "end", job });
    let isTooLong = false;
    const timer = setTimeout(() => {
      isTooLong = true;
      end();
    }, timeoutMs);
    signal.addEventListener("abort", end, { once: true });
    this.#running++;
    try {
      if (signal.aborted) throw interrupted(signal);
      const reply = await this.#thread.ask(job, { do: "count", job, asked });
      if (!("error" in reply)) return reply.facets;
      if (signal.aborted) throw interrupted(signal);
      if (isTooLong)
        throw new LeatError("QUERY_TIMEOUT", {
          message: `Counting took longer than ${timeoutMs} ms and was stopped.`,
          details: { timeoutMs },
        });
      throw new LeatError("INTERNAL", { message: `Counting failed: ${reply.error}.` });
    } finally {
      this.#running--;
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}

const interrupted = ({ reason }: AbortSignal): LeatError =>
  new LeatError("INTERRUPTED", { message: "The counting was stopped.", cause: reason });
