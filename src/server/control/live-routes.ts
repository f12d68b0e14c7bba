/**
 * Everything that moves, on one connection: a browser has six to a host, and a tab takes one of them.
 *
 * A caller names topics; each event names its topic, and its id holds how far each has come. Whoever comes back with
 * `Last-Event-ID` misses nothing, also at another server: what is told comes from the ledger, and not from memory.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import type { ControlPorts } from "./control-ports.ts";
import { drained } from "./drained.ts";
import { openTopic, type Topic } from "./live-topics.ts";

/** Pause between two looks, ms: lines are written four times a second. */
const lookMs = 300;

/** A topic that takes long to read is looked at less often: it may take this share of the time. */
const shareMax = 0.1;

/** How often a word is sent where nothing comes, ms: proxies cut silent connections after some 30 s. */
const wordMs = 15_000;

/** Connections of one process at once; each looks into the ledger three times a second. */
const connectionsMax = 200;

/** Topics of one connection: what a page of the console shows at once is two or three. */
const topicsMax = 10;

const description = `Server-sent events. \`topics\`, separated by commas:
\`runs\` (\`{runs}\`: runs that were made or moved), \`run:<id>\` (\`{run, tasks, task_count}\`: the run, and tasks that
moved), \`logs:<id>\` (\`{lines}\`), \`streams\` and \`events\` (\`{events}\`).
Each event's data is \`{topic, ...}\`; \`{topic, end: true}\` says that nothing more will come of it.
The first event of \`runs\` and \`run:<id>\` holds all of them.
Positions: \`logs:<id>@<line>\` and \`streams@<event>\` begin after that line or event; without one \`logs\` begins at the
first line, and \`streams\` and \`events\` with what happens from now on.`;

let connectionCount = 0;

export function addLiveRoutes(app: FastifyInstance, ports: ControlPorts): void {
  app.get<{ Querystring: { topics: string } }>(
    "/live",
    {
      schema: {
        tags: ["live"],
        summary: "What moves, as server-sent events of several topics.",
        description,
        querystring: {
          type: "object",
          required: ["topics"],
          properties: { topics: { type: "string", minLength: 1, maxLength: 1000 } },
        },
      },
    },
    async (request, reply) => {
      const names = [...new Set(request.query.topics.split(",").map((name) => name.trim()))];
      if (names.length > topicsMax)
        throw new LeatError("USAGE", {
          message: `${names.length} topics are too many; ${topicsMax} may be.`,
        });
      if (connectionCount >= connectionsMax) {
        throw new LeatError("LEDGER_UNAVAILABLE", {
          message: `${connectionsMax} connections are open.`,
          hint: "Close some, or ask without a stream.",
        });
      }
      const places = readPlaces(request.headers["last-event-id"], names.length);
      // What cannot be told is told as a problem document, before the stream begins.
      const topics = await Promise.all(names.map((name, index) => openTopic(ports, name, places?.[index])));
      const gone = new AbortController();
      request.raw.on("close", () => gone.abort());
      reply.raw.on("close", () => gone.abort());
      reply.hijack();
      connectionCount += 1;
      try {
        await tell(ports, topics, reply, gone.signal);
      } catch (error) {
        ports.onProblem(error); // The caller comes again, from where it was.
      } finally {
        connectionCount -= 1;
        reply.raw.end();
      }
    },
  );
}

/** Positions by topic, in the order of the request; `-` for one that has none. */
function readPlaces(
  named: string | string[] | undefined,
  count: number,
): readonly (string | undefined)[] | undefined {
  if (typeof named !== "string" || named === "") return undefined;
  const places = named.split("~");
  if (places.length === count && places.every((place) => /^(-|\d{1,16})$/.test(place)))
    return places.map((place) => (place === "-" ? undefined : place));
  throw new LeatError("USAGE", { message: "Last-Event-ID is none of these topics." });
}

type Turn = { topic: Topic; isOver: boolean; dueAtMs: number };

async function tell(
  ports: ControlPorts,
  topics: readonly Topic[],
  { raw }: FastifyReply,
  gone: AbortSignal,
): Promise<void> {
  const { clock } = ports;
  raw.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  raw.write("retry: 1000\n\n");
  const turns = topics.map((topic): Turn => ({ topic, isOver: false, dueAtMs: 0 }));
  const send = async (name: string, data: object): Promise<void> => {
    const id = topics.map(({ place }) => place ?? "-").join("~");
    // A caller that reads slowly is waited for, so that nothing piles up here.
    if (!raw.write(`id: ${id}\ndata: ${JSON.stringify({ topic: name, ...data })}\n\n`))
      await drained(raw, gone);
  };
  let wordAtMs = clock.nowMs();
  while (!gone.aborted) {
    let isMore = false;
    for (const turn of turns) {
      if (turn.isOver || gone.aborted || clock.nowMs() < turn.dueAtMs) continue;
      const { topic } = turn;
      const beganAtMs = performance.now();
      const news = await topic.read();
      const tookMs = performance.now() - beganAtMs;
      turn.dueAtMs = clock.nowMs() + (news.isFull ? 0 : Math.max(0, tookMs / shareMax - lookMs));
      isMore ||= news.isFull;
      if (news.data !== undefined) {
        await send(topic.name, news.data);
        wordAtMs = clock.nowMs();
      }
      if (news.isEnd) {
        turn.isOver = true;
        await send(topic.name, { end: true });
      }
    }
    if (isMore) continue;
    if (clock.nowMs() - wordAtMs >= wordMs) {
      wordAtMs = clock.nowMs();
      raw.write(": still here\n\n");
    }
    await clock.sleep(lookMs, gone).catch(() => {}); // The next turn ends it.
  }
}
