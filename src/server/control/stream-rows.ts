/** Rows as they come, as server-sent events: whoever comes back with `Last-Event-ID` misses none. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import type { ControlPorts } from "./control-ports.ts";
import { drained } from "./drained.ts";

/** Pause between two glances at the ledger's mark, ms: lines are written four times a second. */
const glanceMs = 300;

/** Longest pause between two looks, ms: that a log is over is a matter of time, and nobody writes it. */
const restMs = 1200;

/** How often a word is sent where nothing comes, ms: proxies cut silent connections after some 30 s. */
const wordMs = 15_000;

/** Streams of one process at once; each looks into the ledger three times a second while something is written. */
const streamsMax = 200;

/** What is streamed. `isEnd`: nothing will come any more. */
export type RowSource = Readonly<{
  /** Where it begins when the request names no place. */
  after: number;
  read: (
    afterId: number,
  ) => Promise<Readonly<{ rows: readonly Readonly<{ id: number; data: unknown }>[]; isEnd: boolean }>>;
}>;

let streamCount = 0;

/** Answers until the source ends or the caller goes away. */
export async function streamRows(
  ports: ControlPorts,
  request: FastifyRequest,
  reply: FastifyReply,
  source: RowSource,
): Promise<void> {
  if (streamCount >= streamsMax) {
    throw new LeatError("LEDGER_UNAVAILABLE", {
      message: `${streamsMax} streams are open.`,
      hint: "Close some, or ask for the rows without a stream.",
    });
  }
  let afterId = readPlace(request, source.after);
  await source.read(afterId); // A failure is told as a problem document, before the stream begins.
  const gone = new AbortController();
  request.raw.on("close", () => gone.abort());
  reply.raw.on("close", () => gone.abort());
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  raw.write("retry: 1000\n\n");
  streamCount += 1;
  let wordAtMs = ports.clock.nowMs();
  try {
    while (!gone.signal.aborted) {
      const mark = ports.ledger.mark();
      const { rows, isEnd } = await source.read(afterId);
      for (const { id, data } of rows) {
        afterId = id;
        wordAtMs = ports.clock.nowMs();
        // A caller that reads slowly is waited for, so that nothing piles up here.
        if (!raw.write(`id: ${id}\ndata: ${JSON.stringify(data)}\n\n`)) await drained(raw, gone.signal);
      }
      if (rows.length > 0) continue;
      if (isEnd) {
        raw.write("event: end\ndata: {}\n\n");
        break;
      }
      if (ports.clock.nowMs() - wordAtMs >= wordMs) {
        wordAtMs = ports.clock.nowMs();
        raw.write(": still here\n\n");
      }
      await untilWritten(ports, mark, gone.signal).catch(() => {}); // The next turn ends it.
    }
  } catch (error) {
    ports.onProblem(error); // The caller comes again, from where it was.
  } finally {
    streamCount -= 1;
    raw.end();
  }
}

async function untilWritten(
  { ledger, clock }: ControlPorts,
  mark: string | undefined,
  gone: AbortSignal,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < restMs; waitedMs += glanceMs) {
    await clock.sleep(glanceMs, gone);
    if (mark === undefined || ledger.mark() !== mark) return;
  }
}

function readPlace(request: FastifyRequest, usual: number): number {
  const named = request.headers["last-event-id"];
  if (named === undefined) return usual;
  const id = Number(named);
  if (Number.isSafeInteger(id) && id >= 0) return id;
  throw new LeatError("USAGE", { message: "Last-Event-ID is not the id of a row." });
}
